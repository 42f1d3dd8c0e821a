# ruff: noqa  (kept as it was written)
import torch
from torch.optim import Optimizer


class NesterovSGD(Optimizer):
    """SGD with Nesterov momentum."""

    def __init__(self, params, lr=1e-2, momentum=0.9, weight_decay=0.0):
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr = group["lr"]
            momentum = group["momentum"]
            wd = group["weight_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                if wd != 0:
                    grad = grad + wd * p
                if "v" not in self.state[p]:
                    self.state[p]["v"] = torch.zeros_like(p)
                v = self.state[p]["v"]
                direction = grad + momentum * v
                v.mul_(momentum).add_(grad)
                p.sub_(lr * direction)
