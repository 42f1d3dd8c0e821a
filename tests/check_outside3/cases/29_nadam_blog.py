import numpy as np


class Nadam:
    """Nesterov-accelerated Adam, formula from the overview by S. Ruder."""

    def __init__(self, lr=0.002, beta_1=0.9, beta_2=0.999, eps=1e-8):
        self.lr = lr
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.eps = eps
        self.m = None
        self.v = None
        self.t = 0

    def get_updates(self, params, grads):
        """lists in, list of new parameters out"""
        if self.m is None:
            self.m = [0.0 * p for p in params]
            self.v = [0.0 * p for p in params]
        self.t += 1

        new_params = []
        for i in range(len(params)):
            g = grads[i]
            self.m[i] = self.beta_1 * self.m[i] + (1. - self.beta_1) * g
            self.v[i] = self.beta_2 * self.v[i] + (1. - self.beta_2) * np.square(g)
            m_hat = self.m[i] / (1. - self.beta_1 ** self.t)
            v_hat = self.v[i] / (1. - self.beta_2 ** self.t)
            m_bar = self.beta_1 * m_hat + (1. - self.beta_1) * g
            new_params.append(params[i] - self.lr * m_bar / (np.sqrt(v_hat) + self.eps))
        return new_params
