# ruff: noqa  (kept as it was written)
import numpy as np


class AdamOptimizer:
    def __init__(self, learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.t = 0
        self.m = None
        self.v = None

    def step(self, params, grads):
        if self.m is None:
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]

        for i, (param, grad) in enumerate(zip(params, grads)):
            self.t += 1
            self.m[i] = self.beta_1 * self.m[i] + (1 - self.beta_1) * grad
            self.v[i] = self.beta_2 * self.v[i] + (1 - self.beta_2) * np.square(grad)

            m_corr = self.m[i] / (1 - np.power(self.beta_1, self.t))
            v_corr = self.v[i] / (1 - np.power(self.beta_2, self.t))

            param -= self.learning_rate * m_corr / (np.sqrt(v_corr) + self.epsilon)
