# ruff: noqa  (kept as it was written)
import numpy as np


def orthogonalize(M, n_iter=5, eps=1e-7):
    a, b, c = 3.4445, -4.7750, 2.0315
    transposed = M.shape[0] > M.shape[1]
    X = M.T if transposed else M
    X = X / (np.linalg.norm(X) + eps)
    A = X @ X.T
    for _ in range(n_iter):
        X = a * X + (b * A + c * A @ A) @ X
    return X.T if transposed else X


class Muon:
    def __init__(self, lr=0.02, momentum=0.95, nesterov=True, ns_steps=5):
        self.lr, self.momentum = lr, momentum
        self.nesterov, self.ns_steps = nesterov, ns_steps
        self.bufs = {}

    def step(self, params, grads):
        mu = self.momentum
        for i, (W, G) in enumerate(zip(params, grads)):
            B = mu * self.bufs.get(i, np.zeros_like(W)) + (1 - mu) * G
            self.bufs[i] = B
            U = (1 - mu) * G + mu * B if self.nesterov else B
            scale = np.sqrt(max(1.0, W.shape[0] / W.shape[1]))
            W -= self.lr * scale * orthogonalize(U, self.ns_steps)
