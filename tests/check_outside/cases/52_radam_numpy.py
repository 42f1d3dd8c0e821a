# ruff: noqa  (kept as it was written)
import numpy as np


class RectifiedAdam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.rho_inf = 2.0 / (1.0 - beta2) - 1.0
        self.t = 0

    def update(self, params, grads):
        if self.t == 0:
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]
        self.t += 1
        t, b1, b2 = self.t, self.beta1, self.beta2
        self.m = [b1 * m + (1 - b1) * g for m, g in zip(self.m, grads)]
        self.v = [b2 * v + (1 - b2) * g * g for v, g in zip(self.v, grads)]
        rho = self.rho_inf - 2.0 * t * b2**t / (1.0 - b2**t)

        if rho > 5.0:
            r = np.sqrt((rho - 4) * (rho - 2) * self.rho_inf / ((self.rho_inf - 4) * (self.rho_inf - 2) * rho))
            return [
                p - self.lr * r * (m / (1 - b1**t)) * np.sqrt(1 - b2**t) / (np.sqrt(v) + self.eps)
                for p, m, v in zip(params, self.m, self.v)
            ]
        return [p - self.lr * m for p, m in zip(params, self.m)]
