import numpy as np


class AdamOptimizer:
    """Adam for a list of weight arrays. `step` works in place."""

    def __init__(self, weights, alpha=1e-3, b1=0.9, b2=0.999, epsilon=1e-8):
        self.weights = weights
        self.alpha, self.b1, self.b2, self.epsilon = alpha, b1, b2, epsilon
        self.m = [np.zeros_like(w) for w in weights]
        self.v = [None] * len(weights)
        self.t = 0

    def step(self, grads):
        self.t += 1
        for i, g in enumerate(grads):
            # first moment
            self.m[i] = self.b1 * self.m[i] + (1 - self.b1) * g
            # second moment
            if self.v[i] is None:
                self.v[i] = g ** 2
            else:
                self.v[i] = self.b2 * self.v[i] + (1 - self.b2) * g ** 2
            # correct the bias
            m_hat = self.m[i] / (1 - self.b1 ** self.t)
            v_hat = self.v[i] / (1 - self.b2 ** self.t)
            self.weights[i] -= self.alpha * m_hat / (np.sqrt(v_hat) + self.epsilon)
