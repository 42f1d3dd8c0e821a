import numpy as np


class Adam:
    """In-place Adam; all buffers are allocated once, no copies per step."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.iter = 0
        self.m = None
        self.v = None

    def step(self, params, grads):
        if self.m is None:
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]
        self.iter += 1
        c1 = 1.0 - self.beta1**self.iter
        c2 = 1.0 - self.beta2**self.iter

        for p, g, m, v in zip(params, grads, self.m, self.v):
            m *= self.beta1
            m += (1 - self.beta1) * g
            v *= self.beta2
            v += (1 - self.beta2) * g * g

            root = np.sqrt(v, out=v)
            p -= (self.lr / c1) * m / (root / np.sqrt(c2) + self.eps)
        return params
