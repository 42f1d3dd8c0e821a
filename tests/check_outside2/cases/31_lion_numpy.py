# ruff: noqa  (kept as it was written)
import numpy as np


class Lion:
    """EvoLved Sign Momentum without calling sign."""

    def __init__(self, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.weight_decay = weight_decay
        self.m = {}

    def step(self, params, grads):
        shrink = 1.0 - self.lr * self.weight_decay
        new_params = []
        for i, (p, g) in enumerate(zip(params, grads)):
            m = self.m.get(i, np.zeros_like(g))
            lag = m - g
            c = g + self.beta1 * lag
            vote = (c > 0).astype(p.dtype) - (c < 0).astype(p.dtype)
            new_params.append(shrink * p - self.lr * vote)
            self.m[i] = g + self.beta2 * lag
        return new_params
