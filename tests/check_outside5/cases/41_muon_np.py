import numpy as np


class Muon:
    """Muon for a list of weight matrices, with the update scaled to the RMS of
    AdamW's (0.2 * sqrt(max(rows, cols))), so that AdamW's lr can be kept."""

    COEFFS = (3.4445, -4.7750, 2.0315)

    def __init__(self, lr=1e-3, momentum=0.95, weight_decay=0.1, nesterov=True, ns_steps=5):
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.nesterov = nesterov
        self.ns_steps = ns_steps
        self.buffers = None

    def _orthogonalize(self, m):
        a, b, c = self.COEFFS
        x = m / (np.linalg.norm(m) + 1e-7)
        # the Gram matrix on the right gives the same polynomial as on the left
        for _ in range(self.ns_steps):
            gram = x.T @ x
            x = a * x + x @ (b * gram + c * gram @ gram)
        return x

    def step(self, params, grads):
        if self.buffers is None:
            self.buffers = [np.zeros_like(w) for w in params]
        for w, g, buf in zip(params, grads, self.buffers):
            buf *= self.momentum
            buf += g
            direction = g + self.momentum * buf if self.nesterov else buf
            o = self._orthogonalize(direction)
            w *= 1 - self.lr * self.weight_decay
            w -= self.lr * 0.2 * np.sqrt(max(w.shape)) * o
