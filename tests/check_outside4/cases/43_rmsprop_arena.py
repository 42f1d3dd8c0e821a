import torch as t
from torch import Tensor


class RMSprop:
    def __init__(
        self,
        params,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        """Implements RMSprop.

        https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
        """
        self.params = list(params)
        self.lr = lr
        self.alpha = alpha
        self.eps = eps
        self.wd = weight_decay
        self.v = [t.zeros_like(p) for p in self.params]

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self) -> None:
        for p, v in zip(self.params, self.v):
            g = p.grad
            if self.wd:
                g = g + self.wd * p
            v.mul_(self.alpha).addcmul_(g, g, value=1 - self.alpha)
            denom = v.sqrt_().add_(self.eps)
            p.addcdiv_(g, denom, value=-self.lr)

    def __repr__(self) -> str:
        return f"RMSprop(lr={self.lr}, eps={self.eps}, weight_decay={self.wd}, alpha={self.alpha})"
