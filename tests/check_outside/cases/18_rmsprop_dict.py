# ruff: noqa  (kept as it was written)
import numpy as np


class RMSProp:
    """RMSProp with momentum and L2 regularisation, dict-of-arrays interface."""

    def __init__(self, lr=0.01, decay_rate=0.99, momentum=0.9, wd=0.0, eps=1e-8):
        self.lr = lr
        self.decay_rate = decay_rate
        self.momentum = momentum
        self.wd = wd
        self.eps = eps
        self.h = {}
        self.buf = {}

    def update(self, params, grads):
        for key in params:
            g = grads[key]
            if key not in self.h:
                self.h[key] = np.zeros_like(g)
                self.buf[key] = np.zeros_like(g)

            self.h[key] *= self.decay_rate
            self.h[key] += (1 - self.decay_rate) * g * g
            g = g + self.wd * params[key]

            scaled = g / (np.sqrt(self.h[key]) + self.eps)
            self.buf[key] = self.momentum * self.buf[key] + (1 - self.momentum) * scaled
            params[key] -= self.lr * self.buf[key]
