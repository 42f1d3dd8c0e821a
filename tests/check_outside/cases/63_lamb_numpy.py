# ruff: noqa  (kept as it was written)
import numpy as np
from numpy.linalg import norm


class LAMB:
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, lam=0.01):
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.lam = lam
        self.t = 0

    def step(self, params, grads):
        if self.t == 0:
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]
        self.t += 1
        for p, g, m, v in zip(params, grads, self.m, self.v):
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g * g - v)
            r = (m / (1 - self.beta1**self.t)) / (np.sqrt(v / (1 - self.beta2**self.t)) + self.eps)
            w_norm, r_norm = norm(p), norm(r)
            r = r + self.lam * p
            ratio = w_norm / r_norm if w_norm > 0 and r_norm > 0 else 1.0
            p -= self.lr * ratio * r
