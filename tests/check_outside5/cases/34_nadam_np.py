import numpy as np


class Nadam:
    """Adam with Nesterov momentum (Dozat 2016), in the constant-momentum form
    most blog posts give."""

    def __init__(self, params, lr=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
        self.params = params
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.k = 0
        self.first = [np.zeros_like(p) for p in params]
        self.second = [np.zeros_like(p) for p in params]

    def step(self, grads):
        self.k += 1
        b1, b2 = self.beta1, self.beta2
        for i, g in enumerate(grads):
            self.first[i] = b1 * self.first[i] + (1 - b1) * g
            self.second[i] = b2 * self.second[i] + (1 - b2) * g ** 2
            m_hat = self.first[i] / (1 - b1 ** self.k)
            m_bar = b1 * m_hat + (1 - b1) * g
            self.params[i] -= self.lr * m_bar / (np.sqrt(self.second[i]) + self.eps)
