# ruff: noqa  (kept as it was written)
import numpy as np


class AdaMax:
    def __init__(self, alpha=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
        self.alpha = alpha
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.t = 0
        self.state = {}

    def step(self, params, grads):
        self.t += 1
        for i, (p, g) in enumerate(zip(params, grads)):
            m, u = self.state.get(i, (np.zeros_like(p), np.zeros_like(p)))
            m = self.beta1 * m + (1 - self.beta1) * g
            u = np.maximum(u, np.abs(g) + self.eps)
            self.state[i] = (m, u)
            p -= self.alpha / (1 - self.beta1**self.t) * m / u
