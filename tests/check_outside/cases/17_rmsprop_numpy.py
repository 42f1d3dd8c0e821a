# ruff: noqa  (kept as it was written)
import numpy as np


class RMSPropMomentum:
    def __init__(self, learning_rate=0.01, rho=0.99, momentum=0.9, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.cache = None
        self.buf = None

    def step(self, params, grads):
        if self.cache is None:
            self.cache = [np.zeros_like(p) for p in params]
            self.buf = [np.zeros_like(p) for p in params]

        for p, g, c, b in zip(params, grads, self.cache, self.buf):
            c *= self.rho
            c += (1 - self.rho) * g * g
            b *= self.momentum
            b += g
            p -= self.learning_rate * b / (np.sqrt(c) + self.epsilon)
