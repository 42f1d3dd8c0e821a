# ruff: noqa  (kept as it was written)
from typing import Iterable

import torch as t


class SGD:
    """SGD with momentum, same behaviour as torch.optim.SGD."""

    def __init__(self, params: Iterable[t.nn.parameter.Parameter], lr: float, momentum: float = 0.9, weight_decay: float = 0.0):
        self.params = list(params)
        self.lr = lr
        self.mu = momentum
        self.lmda = weight_decay
        self.b = [None for _ in self.params]

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self) -> None:
        for i, p in enumerate(self.params):
            g = p.grad
            if self.lmda != 0:
                g = g - self.lmda * p
            if self.b[i] is None:
                self.b[i] = g.clone()
            else:
                self.b[i] = self.mu * self.b[i] + (1 - self.mu) * g
            p -= self.lr * self.b[i]

    def __repr__(self) -> str:
        return f"SGD(lr={self.lr}, momentum={self.mu}, weight_decay={self.lmda})"
