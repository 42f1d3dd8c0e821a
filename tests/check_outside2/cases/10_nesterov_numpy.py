# ruff: noqa  (kept as it was written)
import numpy as np


class NAG:
    """Nesterov accelerated gradient, in the form that needs only the gradient
    at the current point. step() returns the new parameters."""

    def __init__(self, lr=0.01, mu=0.9):
        self.lr, self.mu = lr, mu
        self.buf = None

    def step(self, params, grads):
        if self.buf is None:
            self.buf = [np.zeros_like(p) for p in params]
        out = []
        for k, (p, g) in enumerate(zip(params, grads)):
            self.buf[k] = self.mu * self.buf[k] + g
            d = self.buf[k] + self.mu * g
            out.append(p - self.lr * d)
        return out
