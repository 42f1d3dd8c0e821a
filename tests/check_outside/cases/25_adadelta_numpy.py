# ruff: noqa  (kept as it was written)
import numpy as np


class AdaDelta:
    """Zeiler, 2012. No learning rate to tune."""

    def __init__(self, gamma=0.9, epsilon=1e-6):
        self.gamma = gamma
        self.epsilon = epsilon
        self.Eg2, self.Edx2 = None, None

    def rms(self, x):
        return np.sqrt(x) + self.epsilon

    def step(self, params, grads):
        if self.Eg2 is None:
            self.Eg2 = [np.zeros_like(p) for p in params]
            self.Edx2 = [np.zeros_like(p) for p in params]
        for i, (p, g) in enumerate(zip(params, grads)):
            self.Eg2[i] = self.gamma * self.Eg2[i] + (1 - self.gamma) * g**2
            dx = -self.rms(self.Edx2[i]) / self.rms(self.Eg2[i]) * g
            self.Edx2[i] = self.gamma * self.Edx2[i] + (1 - self.gamma) * dx**2
            p += dx
