# ruff: noqa  (kept as it was written)
import numpy as np


class AdamW:
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8, wd=0.01):
        self.learning_rate = learning_rate
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon = epsilon
        self.wd = wd
        self.iterations = 0
        self.momentums, self.velocities = {}, {}

    def update(self, params, grads):
        self.iterations += 1
        t = self.iterations
        for name, w in params.items():
            g = grads[name]
            m = self.momentums.get(name, 0.0)
            v = self.velocities.get(name, 0.0)
            m = self.beta_1 * m + (1 - self.beta_1) * g
            v = self.beta_2 * v + (1 - self.beta_2) * g * g
            self.momentums[name], self.velocities[name] = m, v

            m_hat = m / (1 - self.beta_1**t)
            v_hat = v / (1 - self.beta_2**t)
            w -= self.learning_rate * (m_hat + self.wd * w) / (np.sqrt(v_hat) + self.epsilon)
