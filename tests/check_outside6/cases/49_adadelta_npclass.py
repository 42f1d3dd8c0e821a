import numpy as np


class AdaDelta:
    def __init__(self, lr=1.0, rho=0.9, eps=1e-6):
        self.lr = lr
        self.rho = rho
        self.eps = eps
        self.E_g2 = None
        self.E_dx2 = None

    def step(self, params, grads):
        """Returns the list of new parameters."""
        if self.E_g2 is None:
            self.E_g2 = [np.zeros(p.shape, p.dtype) for p in params]
            self.E_dx2 = [np.zeros(p.shape, p.dtype) for p in params]

        out = []
        for i, (p, g) in enumerate(zip(params, grads)):
            self.E_g2[i] = self.rho * self.E_g2[i] + (1 - self.rho) * g**2
            dx = np.sqrt(self.E_dx2[i] + self.eps) / np.sqrt(self.E_g2[i] + self.eps) * g
            self.E_dx2[i] = self.rho * self.E_dx2[i] + dx**2
            out.append(p - self.lr * dx)
        return out
