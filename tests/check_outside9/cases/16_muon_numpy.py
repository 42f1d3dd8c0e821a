import numpy as np


def newton_schulz(G, steps=5, eps=1e-7):
    """Approximate U V^T of G = U S V^T by a quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G / (np.linalg.norm(G) + eps)
    transposed = X.shape[0] > X.shape[1]
    if transposed:
        X = X.T
    for _ in range(steps):
        A = X @ X.T
        B = b * A + c * A @ A
        X = a * X + B @ X
    return X.T if transposed else X


class Muon:
    """MomentUm Orthogonalized by Newton-schulz, for the hidden matrices."""

    def __init__(self, lr=0.02, momentum=0.95, nesterov=True, ns_steps=5):
        self.lr = lr
        self.momentum = momentum
        self.nesterov = nesterov
        self.ns_steps = ns_steps
        self.buffers = None

    def step(self, params, grads):
        if self.buffers is None:
            self.buffers = [np.zeros_like(p) for p in params]
        for p, g, buf in zip(params, grads, self.buffers):
            buf *= self.momentum
            buf += g
            u = buf + self.momentum * g if self.nesterov else buf
            u = newton_schulz(u, self.ns_steps)
            p -= self.lr * max(1, p.shape[0] / p.shape[1]) ** 0.5 * u
