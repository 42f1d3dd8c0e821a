import numpy as np


class Adam:
    """Adam with lazily allocated moment buffers.

    Buffers come from a small pool and all arithmetic is done in place, which
    keeps the allocator out of the training loop.
    """

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.pool = {}
        self.iterations = 0

    def _moments(self, p):
        key = p.shape
        if key not in self.pool:
            self.pool[key] = (np.zeros_like(p), np.zeros_like(p))
        return self.pool[key]

    def step(self, params, grads):
        self.iterations += 1
        b1, b2 = self.betas
        c1 = 1 - b1 ** self.iterations
        c2 = 1 - b2 ** self.iterations
        for p, g in zip(params, grads):
            m, v = self._moments(p)
            m *= b1
            m += (1 - b1) * g
            v *= b2
            v += (1 - b2) * g * g
            p -= (self.lr / c1) * m / (np.sqrt(v / c2) + self.eps)
        return params
