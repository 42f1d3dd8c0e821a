import math

import torch
from torch.optim import Optimizer


class Prodigy(Optimizer):
    """Prodigy (Mishchenko & Defazio): Adam that estimates the distance to the solution D.

    Leave lr at 1.0. One estimate d for all parameter groups.
    """

    def __init__(self, params, lr=1.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0,
                 d0=1e-6, d_coef=1.0, growth_rate=float("inf")):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))
        self.d0, self.d, self.d_max = d0, d0, d0
        self.d_coef, self.growth_rate = d_coef, growth_rate
        self.d_numerator = 0.0

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        d = self.d
        beta3 = math.sqrt(self.param_groups[0]["betas"][1])
        numerator = beta3 * self.d_numerator
        denominator = 0.0

        for group in self.param_groups:
            b1, b2 = group["betas"]
            dlr = d * group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g, st = p.grad, self.state[p]
                if not st:
                    st["p0"] = p.detach().clone()
                    st["s"] = torch.zeros_like(p)
                    st["exp_avg"] = torch.zeros_like(p)
                    st["exp_avg_sq"] = torch.zeros_like(p)
                numerator += (d / self.d0) * dlr * torch.sum(g * (st["p0"] - p)).item()
                st["exp_avg"].mul_(b1).add_(g, alpha=d * (1 - b1))
                st["exp_avg_sq"].mul_(b2).addcmul_(g, g, value=d * d * (1 - b2))
                st["s"].mul_(beta3).add_(g, alpha=dlr)
                denominator += st["s"].abs().sum().item()

        if denominator == 0:
            return loss

        d_hat = self.d_coef * numerator / denominator
        new_d = max(d, d_hat) if d == self.d0 else d
        self.d_max = max(self.d_max, d_hat)
        new_d = min(self.d_max, new_d * self.growth_rate)
        self.d_numerator = numerator
        self.d = new_d

        for group in self.param_groups:
            dlr = d * group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if group["weight_decay"]:
                    p.mul_(1 - group["weight_decay"] * dlr)
                denom = st["exp_avg_sq"].sqrt().add_(group["eps"])
                p.addcdiv_(st["exp_avg"], denom, value=-dlr)
        return loss
