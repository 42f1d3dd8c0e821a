import numpy as np


class RMSProp:
    def __init__(self, lr=0.001, rho=0.9, eps=1e-7, centered=False):
        self.lr = lr
        self.rho = rho
        self.eps = eps
        self.centered = centered
        self.sq = {}
        self.mean = {}

    def step(self, params, grads):
        """params, grads: lists of arrays. params are changed in place."""
        for k, (p, g) in enumerate(zip(params, grads)):
            if k not in self.sq:
                self.sq[k] = np.zeros_like(p)
                self.mean[k] = np.zeros_like(p)
            self.sq[k] = self.rho * self.sq[k] + (1 - self.rho) * g**2
            var = self.sq[k]
            if self.centered:
                self.mean[k] = self.rho * self.mean[k] + (1 - self.rho) * g
                # normalise by the variance estimate instead of the raw second moment
                var = self.sq[k] - self.mean[k] ** 2
                g = g - self.mean[k]
            p -= self.lr * g / np.sqrt(var + self.eps)
