# ruff: noqa  (kept as it was written)
import numpy as np


class AdaDelta:
    def __init__(self, decay_rate=0.9, epsilon=1e-6):
        self.decay_rate = decay_rate
        self.epsilon = epsilon
        self.Eg = None
        self.Edx = None

    def step(self, params, grads):
        if self.Eg is None:
            self.Eg = [np.zeros_like(p) for p in params]
            self.Edx = [np.zeros_like(p) for p in params]
        rho, eps = self.decay_rate, self.epsilon
        for i in range(len(params)):
            self.Eg[i] = rho * self.Eg[i] + (1 - rho) * grads[i] ** 2
            rms_dx = np.sqrt(self.Edx[i]) + eps
            rms_g = np.sqrt(self.Eg[i] + eps)
            dx = -rms_dx / rms_g * grads[i]
            self.Edx[i] = rho * self.Edx[i] + (1 - rho) * dx**2
            params[i] += dx
