import math

import torch
from torch.optim import Optimizer


class MyAdam(Optimizer):
    """Plain Adam, written to understand what torch does under the hood."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))
        self.t = 0

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                s = self.state[p]
                if not s:
                    s["m"] = torch.zeros_like(p)
                    s["v"] = torch.zeros_like(p)
                self.t += 1
                s["m"].mul_(b1).add_(p.grad, alpha=1 - b1)
                s["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                c1 = 1 - b1 ** self.t
                c2 = 1 - b2 ** self.t
                denom = s["v"].sqrt().div_(math.sqrt(c2)).add_(group["eps"])
                p.addcdiv_(s["m"], denom, value=-group["lr"] / c1)
        return loss
