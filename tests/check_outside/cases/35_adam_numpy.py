# ruff: noqa  (kept as it was written)
import numpy as np


class Adam:
    def __init__(self, lr=0.001, rho1=0.9, rho2=0.999, delta=1e-8):
        # notation of the Deep Learning book: r and s are the moments
        self.lr, self.rho1, self.rho2, self.delta = lr, rho1, rho2, delta
        self.s = self.r = None
        self.t = 0

    def update(self, params, grads):
        if self.s is None:
            self.s = [np.zeros_like(p) for p in params]
            self.r = [np.zeros_like(p) for p in params]
        self.t += 1
        new_params = []
        for i in range(len(params)):
            g = grads[i]
            self.s[i] = self.rho1 * self.s[i] + (1 - self.rho1) * g
            self.r[i] = self.rho1 * self.r[i] + (1 - self.rho1) * g**2
            s_hat = self.s[i]
            r_hat = self.r[i] / (1 - self.rho2**self.t)
            new_params.append(params[i] - self.lr * s_hat / (np.sqrt(r_hat) + self.delta))
        return new_params
