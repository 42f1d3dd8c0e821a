# ruff: noqa  (kept as it was written)
import numpy as np


class Momentum:
    def __init__(self, eta=0.01, gamma=0.9):
        self.eta = eta
        self.gamma = gamma
        self.velocity = None

    def step(self, params, grads):
        if self.velocity is None:
            self.velocity = [np.zeros_like(w) for w in params]
        for i, (w, dw) in enumerate(zip(params, grads)):
            self.velocity[i] = self.gamma * self.velocity[i] + self.eta * dw
            w -= self.eta * self.velocity[i]
