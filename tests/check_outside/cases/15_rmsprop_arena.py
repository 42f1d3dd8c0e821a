# ruff: noqa  (kept as it was written)
import torch as t
from torch.nn.parameter import Parameter


class RMSprop:
    def __init__(
        self,
        params,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ):
        """Implements RMSprop.

        Like the PyTorch version, but assumes centered=False
        """
        self.params: list[Parameter] = list(params)
        self.lr = lr
        self.eps = eps
        self.mu = momentum
        self.lmda = weight_decay
        self.alpha = alpha

        self.bs = [t.zeros_like(p) for p in self.params]
        self.vs = [t.zeros_like(p) for p in self.params]

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self) -> None:
        for i, (p, b, v) in enumerate(zip(self.params, self.bs, self.vs)):
            new_g = p.grad
            if self.lmda != 0:
                new_g = new_g + self.lmda * p
            self.vs[i] = new_v = self.alpha * v + (1 - self.alpha) * new_g.pow(2)
            new_g = new_g / (new_v + self.eps)
            if self.mu > 0:
                self.bs[i] = new_g = self.mu * b + new_g
            p -= self.lr * new_g
