# ruff: noqa  (kept as it was written)
import numpy as np


class AMSGrad:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.t = 0
        self.m, self.v, self.v_max = [], [], []

    def update(self, params, grads):
        if self.t == 0:
            for p in params:
                self.m.append(np.zeros(p.shape))
                self.v.append(np.zeros(p.shape))
                self.v_max.append(np.zeros(p.shape))
        self.t += 1
        c1 = 1 - self.beta1**self.t
        c2 = 1 - self.beta2**self.t
        result = []
        for i, (p, g) in enumerate(zip(params, grads)):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            v_prev = self.v[i]
            self.v[i] = np.maximum(v_prev, self.beta2 * v_prev + (1 - self.beta2) * g * g)
            self.v_max[i] = self.v[i]
            result.append(p - self.lr * (self.m[i] / c1) / (np.sqrt(self.v_max[i] / c2) + self.eps))
        return result
