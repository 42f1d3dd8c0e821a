import numpy as np


class Adafactor:
    """Adafactor, algorithms 4 and 5 of the paper, with row and column *sums* and a relative step size."""

    def __init__(self, lr=1e-2, eps1=1e-30, eps2=1e-3, d=1.0, beta2_decay=-0.8):
        self.rho = lr
        self.eps1, self.eps2, self.d, self.power = eps1, eps2, d, beta2_decay
        self.t = 0
        self.R, self.C, self.V = {}, {}, {}

    def step(self, params, grads):
        self.t += 1
        new = 1.0 if self.t == 1 else self.t**self.power
        rho = min(self.rho, self.t**-0.5)
        result = []
        for i, (x, g) in enumerate(zip(params, grads)):
            alpha = max(self.eps2, np.sqrt(np.mean(x * x))) * rho
            sq = g * g + self.eps1
            if x.ndim == 2:
                self.R[i] = (1 - new) * self.R.get(i, 0.0) + new * sq.sum(axis=1)
                self.C[i] = (1 - new) * self.C.get(i, 0.0) + new * sq.sum(axis=0)
                v = np.outer(self.R[i], self.C[i]) / self.R[i].sum()
            else:
                v = self.V[i] = (1 - new) * self.V.get(i, 0.0) + new * sq
            u = g / np.sqrt(v)
            u /= max(1.0, np.sqrt(np.mean(u * u)) / self.d)
            result.append(x - alpha * u)
        return result
