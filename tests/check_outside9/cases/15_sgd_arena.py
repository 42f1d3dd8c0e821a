from typing import Iterable

import torch
from torch import Tensor


class SGD:
    def __init__(
        self,
        params: Iterable[torch.nn.parameter.Parameter],
        lr: float,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
    ):
        """Implements SGD with momentum.

        https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
        """
        self.params = list(params)
        self.lr = lr
        self.mu = momentum
        self.tau = dampening
        self.lmda = weight_decay
        self.b = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    @torch.inference_mode()
    def step(self) -> None:
        for i, (b, p) in enumerate(zip(self.b, self.params)):
            new_g = p.grad
            if self.lmda != 0:
                new_g = new_g + self.lmda * p
            if self.mu != 0:
                b.mul_(self.mu).add_(new_g, alpha=1 - self.tau)
                new_g = b
            p -= self.lr * new_g

    def __repr__(self) -> str:
        return f"SGD(lr={self.lr}, momentum={self.mu}, dampening={self.tau}, weight_decay={self.lmda})"
