import numpy as np


class RMSProp:
    """RMSProp (Hinton, lecture 6e).

    >>> opt = RMSProp(lr=1e-2)
    >>> params = opt.step(params, grads)
    """

    def __init__(self, lr=0.01, rho=0.9, epsilon=1e-7):
        self.lr, self.rho, self.epsilon = lr, rho, epsilon
        self.cache = {}

    def step(self, params, grads):
        out = []
        for i, (p, g) in enumerate(zip(params, grads)):
            cache = self.cache.get(i, np.zeros_like(p))
            cache = cache + (1.0 - self.rho) * g ** 2
            self.cache[i] = cache
            out.append(p - self.lr * g / (np.sqrt(cache) + self.epsilon))
        return out
