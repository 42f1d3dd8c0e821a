# ruff: noqa  (kept as it was written)
from typing import Iterable

import torch as t
from torch.nn import Parameter


class RMSprop:
    def __init__(
        self,
        params: Iterable[Parameter],
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ):
        self.params = list(params)
        self.lr, self.alpha, self.eps = lr, alpha, eps
        self.lmda, self.mu = weight_decay, momentum
        self.v = [t.zeros_like(p) for p in self.params]
        self.b = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self):
        for p, v, b in zip(self.params, self.v, self.b):
            g = p.grad
            if self.lmda != 0:
                g = g + self.lmda * p
            v.copy_(self.alpha * v + (1 - self.alpha) * g.pow(2))
            scale = v.sqrt() + self.eps
            if self.mu > 0:
                b.copy_(self.mu * b + g)
                p -= self.lr * b / scale
            else:
                p -= self.lr * g / scale
