# ruff: noqa  (kept as it was written)
import numpy as np


class Adadelta:
    def __init__(self, rho=0.9, eps=1e-6, lr=1.0):
        self.rho, self.eps, self.lr = rho, eps, lr
        self.s = {}
        self.d = {}

    def update(self, params, grads):
        for k in params:
            s = self.s.get(k, np.zeros_like(params[k]))
            d = self.d.get(k, np.zeros_like(params[k]))
            g = grads[k]

            s = s + (1 - self.rho) * g**2
            delta = np.sqrt(d + self.eps) / np.sqrt(s + self.eps) * g
            d = (1 - self.rho) * d + self.rho * delta**2

            params[k] -= self.lr * delta
            self.s[k], self.d[k] = s, d
