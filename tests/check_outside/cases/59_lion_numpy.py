# ruff: noqa  (kept as it was written)
import numpy as np


class Lion:
    def __init__(self, lr=1e-4, beta_1=0.9, beta_2=0.99, wd=0.0):
        self.lr, self.beta_1, self.beta_2, self.wd = lr, beta_1, beta_2, wd
        self.m = None

    def update(self, params, grads):
        if self.m is None:
            self.m = [np.zeros_like(g) for g in grads]
        new = []
        for i, (p, g) in enumerate(zip(params, grads)):
            c = self.beta_2 * self.m[i] + (1 - self.beta_2) * g
            self.m[i] = self.beta_1 * self.m[i] + (1 - self.beta_1) * g
            new.append(p - self.lr * (np.sign(c) + self.wd * p))
        return new
