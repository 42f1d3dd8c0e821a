"""keras.optimizers.Nadam in plain NumPy."""
import numpy as np


class Nadam:
    def __init__(self, learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.iterations = 0
        self.slots = None

    def _mu(self, t):
        return self.beta_1 * (1.0 - 0.5 * 0.96 ** t)

    def step(self, params, grads):
        if self.slots is None:
            self.slots = [(np.zeros_like(p), np.zeros_like(p)) for p in params]
        self.iterations += 1
        t = self.iterations
        u_t, u_next = self._mu(t), self._mu(t + 1)
        u_product = u_t ** t
        u_product_next = u_product * u_next

        for p, g, (m, v) in zip(params, grads, self.slots):
            m += (1 - self.beta_1) * (g - m)
            v += (1 - self.beta_2) * (g * g - v)
            m_hat = u_next * m / (1 - u_product_next) + (1 - u_t) * g / (1 - u_product)
            v_hat = v / (1 - self.beta_2 ** t)
            p -= self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
