# ruff: noqa  (kept as it was written)
import numpy as np


class AdaGrad:
    def __init__(self, params, lr=0.01, eps=1e-10):
        self.params = params
        self.lr = lr
        self.eps = eps
        self.G = [0.0] * len(params)

    def step(self, grads):
        for i, g in enumerate(grads):
            self.G[i] += np.sum(g**2)
            self.params[i] -= self.lr * g / (np.sqrt(self.G[i]) + self.eps)
