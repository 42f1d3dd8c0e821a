import numpy as np


class Lamb:
    """LAMB for large batches. step(params, grads) works in place on lists of arrays."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.01):
        self.lr, self.beta1, self.beta2 = lr, beta1, beta2
        self.eps, self.weight_decay = eps, weight_decay
        self.t = 0
        self.m, self.v = {}, {}

    def step(self, params, grads):
        self.t += 1
        updates = []
        for i, (p, g) in enumerate(zip(params, grads)):
            m = self.m[i] = self.beta1 * self.m.get(i, 0.0) + (1 - self.beta1) * g
            v = self.v[i] = self.beta2 * self.v.get(i, 0.0) + (1 - self.beta2) * g * g
            m = m / (1 - self.beta1 ** self.t)
            updates.append(m / (np.sqrt(v) + self.eps) + self.weight_decay * p)

        # trust ratio
        w_norm = np.sqrt(sum(np.sum(p ** 2) for p in params))
        u_norm = np.sqrt(sum(np.sum(u ** 2) for u in updates))
        ratio = w_norm / u_norm if w_norm > 0 and u_norm > 0 else 1.0
        for p, u in zip(params, updates):
            p -= self.lr * ratio * u
