import numpy as np


class MomentumSGD:
    """SGD with momentum for my little NumPy net.

    usage:
        opt = MomentumSGD(lr=0.05, mu=0.9)
        ...
        opt.step(params, grads)     # lists of arrays, updated in place
    """

    def __init__(self, lr=0.01, mu=0.9):
        self.lr = lr
        self.mu = mu
        self.velocity = {}

    def step(self, params, grads):
        for p, g in zip(params, grads):
            # arrays are not hashable, so look the velocity up by shape
            if p.shape not in self.velocity:
                self.velocity[p.shape] = np.zeros_like(p)
            v = self.mu * self.velocity[p.shape] + g
            self.velocity[p.shape] = v
            p -= self.lr * v
