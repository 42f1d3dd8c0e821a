import numpy as np


class Adadelta:
    """ADADELTA: An Adaptive Learning Rate Method (Zeiler, 2012)."""

    def __init__(self, lr=1.0, rho=0.9, eps=1e-6):
        self.lr = lr
        self.rho = rho
        self.eps = eps
        self.Eg = None   # E[g^2]
        self.Edx = None  # E[dx^2]

    def _rms(self, a):
        return np.sqrt(a) + self.eps

    def step(self, params, grads):
        if self.Eg is None:
            self.Eg = [np.zeros_like(p) for p in params]
            self.Edx = [np.zeros_like(p) for p in params]
        r = self.rho
        for i, g in enumerate(grads):
            self.Eg[i] = r * self.Eg[i] + (1 - r) * g ** 2
            dx = -self._rms(self.Edx[i]) / self._rms(self.Eg[i]) * g
            self.Edx[i] = r * self.Edx[i] + (1 - r) * dx ** 2
            params[i] += self.lr * dx
        return params
