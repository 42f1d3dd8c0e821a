import numpy as np


class LAMB:
    """Layer-wise Adaptive Moments for large batches (You et al., 2019)."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.01):
        self.lr = lr
        self.beta1, self.beta2 = beta1, beta2
        self.eps = eps
        self.weight_decay = weight_decay
        self.t = 0
        self.m = self.v = None

    @staticmethod
    def _norm(arrays):
        return np.sqrt(sum(float(np.sum(a * a)) for a in arrays))

    def step(self, params, grads):
        if self.m is None:
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]
        self.t += 1

        updates = []
        for i, g in enumerate(grads):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g * g
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            v_hat = self.v[i] / (1 - self.beta2**self.t)
            updates.append(m_hat / (np.sqrt(v_hat) + self.eps))

        w_norm, u_norm = self._norm(params), self._norm(updates)
        ratio = w_norm / u_norm if w_norm > 0 and u_norm > 0 else 1.0
        return [
            p - self.lr * (ratio * u + self.weight_decay * p) for p, u in zip(params, updates)
        ]
