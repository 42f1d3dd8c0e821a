# ruff: noqa  (kept as it was written)
import numpy as np


class LazyAdam:
    """Adam with both bias corrections folded into two scalars (no m_hat, v_hat arrays).

    The running products b1p = beta1**t, b2p = beta2**t are kept rather than a step count.
    """

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.b1p = self.b2p = 1.0
        self.slots = {}

    def step(self, params, grads):
        beta1, beta2 = self.betas
        self.b1p *= beta1
        self.b2p *= beta2
        root = (1.0 - self.b2p) ** 0.5
        step_size = self.lr * root / (1.0 - self.b1p)
        eps_hat = self.eps * root
        for j in range(len(params)):
            m, v = self.slots.setdefault(j, (np.zeros_like(params[j]), np.zeros_like(params[j])))
            m -= (1.0 - beta1) * (m - grads[j])
            v -= (1.0 - beta2) * (v - grads[j] * grads[j])
            params[j] -= step_size * (m / (eps_hat + np.sqrt(v)))
