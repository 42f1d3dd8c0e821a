import numpy as np


class LookaheadAdam:
    """Adam wrapped with Lookahead ("k steps forward, 1 step back").

    Args:
        params: list of float arrays, changed in place by ``apply``.
        lr, beta1, beta2, eps: the inner Adam.
        k: synchronisation period.
        la_alpha: interpolation towards the fast weights.
    """

    def __init__(self, params, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, k=5, la_alpha=0.5):
        self.params = params
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.k, self.la_alpha = k, la_alpha
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]
        self.slow = [p.copy() for p in params]
        self.t = 0

    def apply(self, grads):
        self.t += 1
        c1 = 1 - self.beta1 ** self.t
        c2 = 1 - self.beta2 ** self.t
        for p, g, m, v in zip(self.params, grads, self.m, self.v):
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g * g - v)
            p -= self.lr * (m / c1) / (np.sqrt(v / c2) + self.eps)
        if self.t % self.k == 0:
            for p, s in zip(self.params, self.slow):
                p[...] = s + self.la_alpha * (p - s)
