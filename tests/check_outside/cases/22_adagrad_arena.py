# ruff: noqa  (kept as it was written)
import torch as t


class AdaGrad:
    def __init__(self, params, lr=0.01, eps=1e-10, weight_decay=0.0):
        self.params = list(params)
        self.lr, self.eps, self.lmda = lr, eps, weight_decay
        self.G = [0.0 for _ in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self):
        for i, p in enumerate(self.params):
            g = p.grad + self.lmda * p
            self.G[i] = self.G[i] + (g**2).sum()
            p -= self.lr * g / (self.G[i] ** 0.5 + self.eps)
