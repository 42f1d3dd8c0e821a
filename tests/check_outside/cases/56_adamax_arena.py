# ruff: noqa  (kept as it was written)
import torch as t


class Adamax:
    def __init__(self, params, lr=0.002, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(params)
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.eps = eps
        self.lmda = weight_decay
        self.t = 0
        self.m = [t.zeros_like(p) for p in self.params]
        self.u = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self):
        self.t += 1
        for i, p in enumerate(self.params):
            g = p.grad
            if self.lmda:
                g = g + self.lmda * p
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.u[i] = t.maximum(self.beta2 * self.u[i], g.abs() + self.eps)
            m_hat = self.m[i] / (1 - self.beta1**self.t)
            u_hat = self.u[i] / (1 - self.beta2**self.t)
            p -= self.lr * m_hat / u_hat
