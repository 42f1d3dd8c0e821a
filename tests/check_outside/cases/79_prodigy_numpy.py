# ruff: noqa  (kept as it was written)
import numpy as np


class Prodigy:
    def __init__(self, lr=1.0, beta1=0.9, beta2=0.999, eps=1e-8, d0=1e-6):
        self.lr = lr
        self.beta1, self.beta2, self.beta3 = beta1, beta2, np.sqrt(beta2)
        self.eps = eps
        self.d = self.d0 = d0
        self.r = 0.0
        self.x0 = None

    def step(self, params, grads):
        if self.x0 is None:
            self.x0 = [p.copy() for p in params]
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]
            self.s = [np.zeros_like(p) for p in params]
        d, gamma = self.d, self.lr
        w = gamma * d * d / self.d0

        inner = sum(np.vdot(g, x0 - x) for g, x0, x in zip(grads, self.x0, params))
        self.r = self.beta3 * self.r + w * inner
        for i, g in enumerate(grads):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * d * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * d * g * g
            self.s[i] = self.beta3 * self.s[i] + w * g
        d_hat = self.r / sum(np.abs(s).sum() for s in self.s)
        self.d = max(d, d_hat)

        for i, x in enumerate(params):
            x -= gamma * d * self.m[i] / (np.sqrt(self.v[i]) + self.d * self.eps)
