import numpy as np


class AdaMax:
    """AdaMax. The power of beta1 is carried along instead of recomputed."""

    def __init__(self, stepsize=0.002, b1=0.9, b2=0.99, eps=1e-8):
        self.stepsize = stepsize
        self.b1, self.b2 = b1, b2
        self.eps = eps
        self.b1_power = b1
        self.m = self.u = None

    def step(self, params, grads):
        if self.m is None:
            self.m = [np.zeros_like(p) for p in params]
            self.u = [np.zeros_like(p) for p in params]

        self.b1_power *= self.b1
        rate = self.stepsize / (1.0 - self.b1_power)

        new = []
        for i, (p, g) in enumerate(zip(params, grads)):
            self.m[i] = self.b1 * self.m[i] + (1.0 - self.b1) * g
            self.u[i] = np.maximum(self.u[i], np.abs(g))
            new.append(p - rate * self.m[i] / (self.u[i] + self.eps))
        return new
