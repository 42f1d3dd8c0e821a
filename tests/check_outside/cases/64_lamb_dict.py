# ruff: noqa  (kept as it was written)
import numpy as np


class Lamb:
    def __init__(self, learning_rate=0.001, betas=(0.9, 0.999), epsilon=1e-6, weight_decay=0.01):
        self.learning_rate = learning_rate
        self.b1, self.b2 = betas
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.m, self.v, self.t = {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        updates = {}
        w_sq, u_sq = 0.0, 0.0
        for k, w in params.items():
            self.m[k] = self.b1 * self.m.get(k, 0.0) + (1 - self.b1) * grads[k]
            self.v[k] = self.b2 * self.v.get(k, 0.0) + (1 - self.b2) * grads[k] ** 2
            m_hat = self.m[k] / (1 - self.b1**self.t)
            v_hat = self.v[k] / (1 - self.b2**self.t)
            updates[k] = m_hat / (np.sqrt(v_hat) + self.epsilon) + self.weight_decay * w
            w_sq += np.sum(w**2)
            u_sq += np.sum(updates[k] ** 2)

        for k in params:
            trust = np.sqrt(w_sq) / np.sqrt(u_sq) if w_sq > 0 and u_sq > 0 else 1.0
            params[k] -= self.learning_rate * trust * updates[k]
