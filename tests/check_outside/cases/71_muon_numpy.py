# ruff: noqa  (kept as it was written)
import numpy as np


def newton_schulz(M, iters=5):
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = M.shape[0] > M.shape[1]
    X = M.T.copy() if tall else M.copy()
    X /= np.linalg.norm(X) + 1e-7
    for _ in range(iters):
        A = X @ X.T
        X = a * X + (b * A + c * (A @ A)) @ X
    return X.T if tall else X


class Muon:
    def __init__(self, learning_rate=0.02, mu=0.95, wd=0.0):
        self.learning_rate = learning_rate
        self.mu = mu
        self.wd = wd
        self.bufs = None

    def step(self, params, grads):
        if self.bufs is None:
            self.bufs = [np.zeros_like(p) for p in params]
        for W, G, B in zip(params, grads, self.bufs):
            B *= self.mu
            B += (1 - self.mu) * G
            O = newton_schulz((1 - self.mu) * G + self.mu * B)
            n_out, n_in = W.shape
            O *= max(1.0, n_in / n_out) ** 0.5
            W *= 1 - self.learning_rate * self.wd
            W -= self.learning_rate * O
