import numpy as np


class Lion:
    """Lion (EvoLved Sign Momentum) in numpy, for a blog post comparing it with Adam."""

    def __init__(self, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.weight_decay = weight_decay
        self.momentum = None

    def step(self, params, grads):
        if self.momentum is None:
            self.momentum = [np.zeros_like(p) for p in params]
        for p, g, m in zip(params, grads, self.momentum):
            # momentum
            m *= self.beta2
            m += (1 - self.beta2) * g
            # direction
            c = self.beta1 * m + (1 - self.beta1) * g
            p *= 1 - self.lr * self.weight_decay
            p -= self.lr * np.sign(c)
