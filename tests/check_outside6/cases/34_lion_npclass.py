import numpy as np


class FlatLion:
    """Lion on one packed vector."""

    def __init__(self, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.weight_decay = weight_decay
        self.m = None

    @staticmethod
    def _pack(arrays):
        return np.concatenate([np.ravel(a) for a in arrays])

    def step(self, params, grads):
        w, g = self._pack(params), self._pack(grads)
        if self.m is None:
            self.m = np.zeros_like(w)
        gap = self.m - g
        blend = g + self.beta1 * gap
        up, down = blend > 0, blend < 0
        w = w * (1 - self.lr * self.weight_decay)
        w[up] -= self.lr
        w[down] += self.lr
        self.m = g + self.beta2 * gap

        out, at = [], 0
        for p in params:
            out.append(w[at : at + p.size].reshape(p.shape))
            at += p.size
        return out
