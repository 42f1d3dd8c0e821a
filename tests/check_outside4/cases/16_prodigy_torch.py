import math

import torch
from torch.optim import Optimizer


class Prodigy(Optimizer):
    """Prodigy: an expeditiously adaptive parameter-free learner.

    Args follow the reference implementation; leave ``lr`` at 1.
    """

    def __init__(self, params, lr=1.0, betas=(0.9, 0.999), beta3=None, eps=1e-8,
                 weight_decay=0.0, d0=1e-6, d_coef=1.0):
        super().__init__(params, dict(lr=lr, betas=betas, beta3=beta3, eps=eps,
                                      weight_decay=weight_decay))
        self.d = self.d0 = d0
        self.d_coef = d_coef
        self.numerator = 0.0
        self.k = 0

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        self.k += 1
        d, d0 = self.d, self.d0
        group = self.param_groups[0]
        b1, b2 = group["betas"]
        b3 = group["beta3"] if group["beta3"] is not None else math.sqrt(b2)
        dlr = d * group["lr"] * math.sqrt(1 - b2 ** self.k) / (1 - b1 ** self.k)

        self.numerator *= b3
        denominator = 0.0
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                st = self.state[p]
                if not st:
                    st["p0"] = p.clone()
                    st["s"] = torch.zeros_like(p)
                    st["m"] = torch.zeros_like(p)
                    st["v"] = torch.zeros_like(p)
                self.numerator += (d / d0) * dlr * torch.sum(g * (st["p0"] - p)).item()
                st["m"].mul_(b1).add_(g, alpha=d * (1 - b1))
                st["v"].mul_(b2).addcmul_(g, g, value=d * d * (1 - b2))
                st["s"].mul_(b3).add_(g, alpha=(d / d0) * dlr)
                denominator += st["s"].norm().item()

        if denominator > 0:
            self.d = max(d, self.d_coef * self.numerator / denominator)

        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                denom = st["v"].sqrt().add_(self.d * group["eps"])
                if group["weight_decay"]:
                    p.add_(p, alpha=-group["weight_decay"] * dlr)
                p.addcdiv_(st["m"], denom, value=-dlr)
        return loss
