import numpy as np


class Muon:
    """Muon for 2-D weights in numpy (teaching version)."""

    coeffs = (3.4445, -4.7750, 2.0315)

    def __init__(self, lr=0.02, momentum=0.95, nesterov=True, ns_steps=5, weight_decay=0.0):
        self.lr, self.momentum, self.nesterov = lr, momentum, nesterov
        self.ns_steps, self.weight_decay = ns_steps, weight_decay
        self.bufs = None

    def _orthogonalize(self, g):
        wide = g.shape[0] <= g.shape[1]
        x = (g if wide else g.T) / max(np.linalg.norm(g), 1e-7)
        a, b, c = self.coeffs
        eye = np.eye(x.shape[0])
        for _ in range(self.ns_steps):
            s = x @ x.T
            x = (a * eye + s @ (b * eye + c * s)) @ x
        return x if wide else x.T

    def step(self, params, grads):
        if self.bufs is None:
            self.bufs = [np.zeros_like(p) for p in params]
        out = []
        for i, (p, g) in enumerate(zip(params, grads)):
            self.bufs[i] = self.momentum * self.bufs[i] + (1 - self.momentum) * g
            d = self.momentum * self.bufs[i] + (1 - self.momentum) * g if self.nesterov else self.bufs[i]
            scale = np.sqrt(max(1.0, p.shape[0] / p.shape[1]))
            out.append(p * (1 - self.lr * self.weight_decay) - self.lr * scale * self._orthogonalize(d))
        return out
