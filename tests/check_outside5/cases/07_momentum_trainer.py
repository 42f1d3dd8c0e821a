"""Part of the small trainer used in weeks 4-6."""
import numpy as np


class MomentumSGD:
    def __init__(self, params, lr=0.1, momentum=0.9):
        self.params = params            # list of arrays, modified in place
        self.lr = lr
        self.momentum = momentum
        self.velocities = [np.zeros_like(p) for p in params]

    def step(self, grads):
        for p, g, v in zip(self.params, grads, self.velocities):
            v = self.momentum * v - self.lr * g
            p += v
