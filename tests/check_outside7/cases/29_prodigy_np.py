import numpy as np


class Prodigy:
    """Prodigy (Mishchenko & Defazio): Adam that estimates the distance to the solution.

    lr stays at 1.0, d is the estimate and starts at d0.
    """

    def __init__(self, lr=1.0, betas=(0.9, 0.999), beta3=None, eps=1e-8, weight_decay=0.0, d0=1e-6, d_coef=1.0):
        self.lr = lr
        self.b1, self.b2 = betas
        self.b3 = np.sqrt(self.b2) if beta3 is None else beta3
        self.eps = eps
        self.wd = weight_decay
        self.d0 = d0
        self.d = d0
        self.d_coef = d_coef
        self.num = 0.0
        self.start = None

    def step(self, params, grads):
        if self.start is None:
            self.start = [p.copy() for p in params]
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]
            self.s = [np.zeros_like(p) for p in params]
        d = self.d
        dlr = d * self.lr

        dot = 0.0
        for i, (p, g) in enumerate(zip(params, grads)):
            dot += float(np.sum(g * (p - self.start[i])))
            self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * d * g
            self.v[i] = self.b2 * self.v[i] + (1 - self.b2) * d * d * g * g
            self.s[i] = self.b3 * self.s[i] + (d / self.d0) * dlr * g

        self.num = self.b3 * self.num + (d / self.d0) * dlr * dot
        den = sum(float(np.abs(s).sum()) for s in self.s)
        if den > 0:
            self.d = max(d, self.d_coef * self.num / den)

        for i, p in enumerate(params):
            if self.wd:
                p -= dlr * self.wd * p
            p -= dlr * self.m[i] / (np.sqrt(self.v[i]) + self.d * self.eps)
        return params
