import torch as t
from torch import nn


class RMSprop:
    def __init__(
        self,
        params: list[nn.Parameter],
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ):
        """Implements RMSprop.

        Like the PyTorch version, but without the centered option.
        """
        self.params = list(params)
        self.lr = lr
        self.alpha = alpha
        self.eps = eps
        self.lmda = weight_decay
        self.mu = momentum
        self.b = [t.zeros_like(p) for p in self.params]
        self.v = [t.zeros_like(p) for p in self.params]

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self) -> None:
        for i, (p, b, v) in enumerate(zip(self.params, self.b, self.v)):
            new_g = p.grad
            if self.lmda != 0:
                new_g = new_g + self.lmda * p
            new_v = self.alpha * v + (1 - self.alpha) * new_g.pow(2)
            self.v[i] = new_v
            if self.mu > 0:
                new_b = self.mu * b + new_g
                self.b[i] = new_b
                p -= self.lr * new_b / (new_v.sqrt() + self.eps)
            else:
                p -= self.lr * new_g / (new_v.sqrt() + self.eps)

    def __repr__(self) -> str:
        return f"RMSprop(lr={self.lr}, eps={self.eps}, momentum={self.mu}, weight_decay={self.lmda}, alpha={self.alpha})"
