import numpy as np


class ScheduleFreeAdamW:
    """AdamW without a schedule (Defazio et al. 2024), arrays updated in place.

    The arrays passed to ``step`` are the y sequence.
    """

    def __init__(self, lr=0.0025, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.lr = lr
        self.b1, self.b2 = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.t = 0
        self.x, self.z, self.v = [], [], []

    def step(self, params, grads):
        if self.t == 0:
            self.x = [p.copy() for p in params]
            self.z = [p.copy() for p in params]
            self.v = [np.zeros_like(p) for p in params]
        self.t += 1
        bc2 = 1 - self.b2 ** self.t
        c = 1.0 / self.t

        for y, g, x, z, v in zip(params, grads, self.x, self.z, self.v):
            v += (1 - self.b2) * (g * g - v)
            d = g / (np.sqrt(v / bc2) + self.eps) + self.weight_decay * y
            x += c * (z - x)
            z -= self.lr * d
            y[...] = self.b1 * x + (1 - self.b1) * z
