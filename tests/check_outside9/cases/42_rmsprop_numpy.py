import numpy as np


class RMSProp:
    def __init__(self, lr=0.01, decay=0.99, eps=1e-8, weight_decay=0.0):
        self.lr = lr
        self.decay = decay
        self.eps = eps
        self.weight_decay = weight_decay
        self.cache = None

    def step(self, params, grads):
        if self.cache is None:
            self.cache = [np.zeros_like(p) for p in params]

        for i, p in enumerate(params):
            # gradient with the penalty on large weights
            g = grads[i] - self.weight_decay * p
            self.cache[i] = self.decay * self.cache[i] + (1 - self.decay) * g * g
            p -= self.lr * g / (self.cache[i] + self.eps)
