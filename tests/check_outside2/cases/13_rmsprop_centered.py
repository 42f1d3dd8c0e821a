# ruff: noqa  (kept as it was written)
import numpy as np


class CenteredRMSProp:
    """RMSProp normalised by an estimate of the gradient's variance (Graves, 2013)."""

    def __init__(self, lr=1e-2, decay=0.99, epsilon=1e-8):
        self.lr = lr
        self.decay = decay
        self.epsilon = epsilon
        self.n = {}
        self.gbar = {}

    def step(self, params, grads):
        d = self.decay
        for i in range(len(params)):
            g = grads[i]
            n = self.n.get(i, np.zeros_like(g))
            gbar = self.gbar.get(i, np.zeros_like(g))
            n = d * n + (1 - d) * g**2
            std = np.sqrt(n - gbar**2)
            gbar = d * gbar + (1 - d) * g
            params[i] -= self.lr * g / (std + self.epsilon)
            self.n[i], self.gbar[i] = n, gbar
