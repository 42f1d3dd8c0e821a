import numpy as np


class AdaDelta:
    """ADADELTA: an adaptive learning rate method (Zeiler 2012), Algorithm 1."""

    def __init__(self, rho=0.95, eps=1e-6):
        self.rho = rho
        self.eps = eps
        self.Eg2 = None
        self.Edx2 = None

    def step(self, params, grads):
        rho, eps = self.rho, self.eps
        if self.Eg2 is None:
            self.Eg2 = [np.zeros_like(p) for p in params]
            self.Edx2 = [np.zeros_like(p) for p in params]
        out = []
        for i, (p, g) in enumerate(zip(params, grads)):
            # accumulate gradient
            self.Eg2[i] = rho * self.Eg2[i] + (1 - rho) * g ** 2
            # compute update
            dx = -np.sqrt(self.Edx2[i] + eps) / np.sqrt(self.Eg2[i] + eps) * g
            # accumulate updates
            self.Edx2[i] = rho * self.Edx2[i] + (1 - rho) * g ** 2
            # apply update
            out.append(p + dx)
        return out
