import numpy as np


class Adadelta:
    """ADADELTA: An Adaptive Learning Rate Method (Zeiler, 2012)."""

    def __init__(self, lr=1.0, rho=0.95, eps=1e-6):
        self.lr = lr
        self.rho = rho
        self.eps = eps
        self.Eg2 = {}
        self.Edx2 = {}

    def step(self, params, grads):
        """params and grads are dictionaries with the same keys."""
        for name in params:
            g = grads[name]
            if name not in self.Eg2:
                self.Eg2[name] = np.zeros_like(g)
                self.Edx2[name] = np.zeros_like(g)

            self.Eg2[name] = self.rho * self.Eg2[name] + (1 - self.rho) * g ** 2
            rms_dx = np.sqrt(self.Edx2[name] + self.eps)
            rms_g = np.sqrt(self.Eg2[name] + self.eps)
            dx = rms_dx / rms_g * g
            self.Edx2[name] = self.rho * self.Edx2[name] + (1 - self.rho) * g ** 2

            params[name] -= self.lr * dx
