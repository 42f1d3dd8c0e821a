# ruff: noqa  (kept as it was written)
from typing import Iterable

import torch as t
from torch.nn.parameter import Parameter


class SGD:
    def __init__(self, params: Iterable[Parameter], lr: float, weight_decay: float = 0.0):
        """Implements SGD with (L2) weight decay.

        Like the PyTorch version:
            https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
        """
        self.params = list(params)
        self.lr = lr
        self.lmda = weight_decay

    def zero_grad(self) -> None:
        for param in self.params:
            param.grad = None

    @t.inference_mode()
    def step(self) -> None:
        for param in self.params:
            param -= self.lr * param.grad
            if self.lmda != 0:
                param -= self.lr * self.lmda * param

    def __repr__(self) -> str:
        return f"SGD(lr={self.lr}, weight_decay={self.lmda})"
