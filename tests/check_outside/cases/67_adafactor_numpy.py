# ruff: noqa  (kept as it was written)
import numpy as np


class Adafactor:
    def __init__(self, eps1=1e-30, eps2=1e-3, d=1.0, decay=0.8):
        self.eps1 = eps1
        self.eps2 = eps2
        self.d = d
        self.decay = decay
        self.t = 0
        self.stats = {}

    def second_moment(self, i, g, beta2):
        sq = g * g + self.eps1
        if g.ndim == 2:
            R, C = self.stats.get(i, (np.zeros(g.shape[0]), np.zeros(g.shape[1])))
            R = beta2 * R + (1 - beta2) * sq.mean(axis=1)
            C = beta2 * C + (1 - beta2) * sq.mean(axis=0)
            self.stats[i] = (R, C)
            return np.outer(R, C) / R.mean()
        V = beta2 * self.stats.get(i, 0.0) + (1 - beta2) * sq
        self.stats[i] = V
        return V

    def step(self, params, grads):
        self.t += 1
        rho = min(1e-2, 1 / np.sqrt(self.t))
        beta2 = 1 - self.t ** (-self.decay)
        for i, (x, g) in enumerate(zip(params, grads)):
            alpha = max(self.eps2, np.sqrt(np.mean(x**2))) * rho
            u = g / np.sqrt(self.second_moment(i, g, beta2))
            u = u / max(1.0, np.linalg.norm(u) / self.d)
            x -= alpha * u
