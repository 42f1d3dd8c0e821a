import numpy as np


class RAdam:
    """Rectified Adam (Liu et al., ICLR 2020)."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.rho_inf = 2 / (1 - beta2) - 1
        self.t = 0
        self.m = []
        self.v = []

    def _rectify(self, rho):
        num = (rho - 4) * (rho - 2) * self.rho_inf
        den = (self.rho_inf - 4) * (self.rho_inf - 2) * rho
        return num / den

    def step(self, params, grads):
        if not self.m:
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]
        self.t += 1
        b2t = self.beta2**self.t
        rho = self.rho_inf - 2 * self.t * b2t / (1 - b2t)

        for p, g, m, v in zip(params, grads, self.m, self.v):
            m[...] = self.beta1 * m + (1 - self.beta1) * g
            v[...] = self.beta2 * v + (1 - self.beta2) * g**2
            if rho > 5:
                m_hat = m / (1 - self.beta1**self.t)
                l = np.sqrt(1 - b2t) / (np.sqrt(v) + self.eps)
                p -= self.lr * m_hat * self._rectify(rho) * l
            else:
                # variance not tractable yet: momentum step
                p -= self.lr * m
