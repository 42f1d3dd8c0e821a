# ruff: noqa  (kept as it was written)
import torch as t
from torch import Tensor


class SGDMomentum:
    def __init__(self, params, lr: float, momentum: float = 0.9, weight_decay: float = 0.0):
        self.params = list(params)
        self.lr = lr
        self.mu = momentum
        self.lmda = weight_decay
        self.b: list[Tensor] = [t.zeros_like(p) for p in self.params]

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    @t.no_grad()
    def step(self) -> None:
        for i, (b, p) in enumerate(zip(self.b, self.params)):
            g = p.grad
            if self.lmda != 0.0:
                g = g + self.lmda * p
            p -= self.lr * b
            self.b[i] = self.mu * b + g
