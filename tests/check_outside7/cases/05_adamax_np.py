import numpy as np


class Adamax:
    """Adam with the infinity norm (section 7.1 of Kingma & Ba)."""

    def __init__(self, alpha=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
        self.alpha = alpha
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.t = 0
        self.m, self.u = [], []

    def step(self, params, grads):
        if self.t == 0:
            self.m = [np.zeros_like(p) for p in params]
            self.u = [np.zeros_like(p) for p in params]
        self.t += 1
        c1 = 1.0 - self.beta1**self.t
        c2 = 1.0 - self.beta2**self.t
        out = []
        for i, (theta, g) in enumerate(zip(params, grads)):
            self.m[i] = self.beta1 * self.m[i] + (1.0 - self.beta1) * g
            self.u[i] = np.maximum(self.beta2 * self.u[i], np.abs(g))
            m_hat, u_hat = self.m[i] / c1, self.u[i] / c2
            out.append(theta - self.alpha * m_hat / (u_hat + self.eps))
        return out
