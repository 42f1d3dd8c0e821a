import numpy as np


class AdamOptimizer:
    """Adam from scratch (assignment 3, question 2)."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.lr = lr
        self.beta1, self.beta2 = beta1, beta2
        self.epsilon = epsilon
        self.m, self.v = None, None
        self.t = 0

    def step(self, params, grads):
        if self.m is None:
            self.m = [np.zeros(p.shape) for p in params]
            self.v = [np.zeros(p.shape) for p in params]
        self.t += 1
        for i in range(len(params)):
            g = grads[i]

            # first and second moment
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g ** 2

            # correct the bias towards zero
            self.m[i] = self.m[i] / (1 - self.beta1 ** self.t)
            self.v[i] = self.v[i] / (1 - self.beta2 ** self.t)

            params[i] -= self.lr * self.m[i] / (np.sqrt(self.v[i]) + self.epsilon)
