# ruff: noqa  (kept as it was written)
import numpy as np


class AdamOptimizer:
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.m, self.v, self.t = None, None, 0

    def step(self, params, grads):
        if self.m is None:
            self.m = [np.zeros(p.shape) for p in params]
            self.v = [np.zeros(p.shape) for p in params]
        self.t += 1
        for j in range(len(params)):
            self.m[j] = self.beta_1 * self.m[j] + (1 - self.beta_1) * grads[j]
            self.v[j] = self.beta_2 * self.v[j] + (1 - self.beta_2) * grads[j] ** 2
            self.m[j] = self.m[j] / (1 - self.beta_1**self.t)
            v_hat = self.v[j] / (1 - self.beta_2**self.t)
            params[j] -= self.learning_rate * self.m[j] / (np.sqrt(v_hat) + self.epsilon)
