# ruff: noqa  (kept as it was written)
import numpy as np


class Nadam:
    """Nesterov-accelerated Adam with the warming momentum schedule (Dozat 2016)."""

    def __init__(self, lr=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-8, schedule_decay=0.004):
        self.lr = lr
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.schedule_decay = schedule_decay
        self.t = 0
        self.m_schedule = 1.0
        self.ms = None

    def mu(self, t):
        return self.beta_1 * (1.0 - np.power(0.96, t * self.schedule_decay))

    def step(self, params, grads):
        if self.ms is None:
            self.ms = [np.zeros_like(p) for p in params]
            self.vs = [np.zeros_like(p) for p in params]
        self.t += 1
        mu_t, mu_t1 = self.mu(self.t), self.mu(self.t + 1)
        self.m_schedule *= mu_t
        m_schedule_next = self.m_schedule * mu_t1

        for p, g, m, v in zip(params, grads, self.ms, self.vs):
            g_prime = g / (1.0 - self.m_schedule)
            m[...] = self.beta_1 * m + (1.0 - self.beta_1) * g
            m_prime = m / (1.0 - m_schedule_next)
            v[...] = self.beta_2 * v + (1.0 - self.beta_2) * g**2
            v_prime = v / (1.0 - self.beta_2**self.t)
            m_bar = (1.0 - mu_t) * g_prime + mu_t1 * m_prime
            p -= self.lr * m_bar / (np.sqrt(v_prime) + self.epsilon)
