import torch
from torch.optim import Optimizer


class Prodigy(Optimizer):
    """Prodigy: learning-rate-free AdamW (Mishchenko & Defazio).

    d is one number for all parameters; leave lr at 1.
    """

    def __init__(self, params, lr=1.0, betas=(0.9, 0.999), beta3=None, eps=1e-8, weight_decay=0.0, d0=1e-6, d_coef=1.0):
        super().__init__(
            params,
            dict(lr=lr, betas=betas, beta3=beta3, eps=eps, weight_decay=weight_decay, d=d0, d0=d0, d_coef=d_coef, numerator=0.0),
        )

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        group = self.param_groups[0]
        beta1, beta2 = group["betas"]
        beta3 = group["beta3"] if group["beta3"] is not None else beta2**0.5
        d, d0 = group["d"], group["d0"]
        dlr = d * group["lr"]
        numerator = beta3 * group["numerator"]
        denominator = 0.0

        for p in group["params"]:
            if p.grad is None:
                continue
            g = p.grad
            st = self.state[p]
            if not st:
                st["s"] = torch.zeros_like(p)
                st["p0"] = p.clone()
                st["m"] = torch.zeros_like(p)
                st["v"] = torch.zeros_like(p)
            numerator += (d / d0) * dlr * torch.dot(g.flatten(), (st["p0"] - p).flatten()).item()
            st["m"].mul_(beta1).add_(g, alpha=d * (1 - beta1))
            st["v"].mul_(beta2).addcmul_(g, g, value=d * d * (1 - beta2))
            st["s"].mul_(beta3).add_(g, alpha=(d / d0) * dlr)
            denominator += st["s"].norm().item()

        if denominator == 0:
            return loss
        d = max(d, group["d_coef"] * numerator / denominator)
        group["numerator"] = numerator
        group["d"] = d

        for p in group["params"]:
            if p.grad is None:
                continue
            st = self.state[p]
            denom = st["v"].sqrt().add_(d * group["eps"])
            p.mul_(1 - group["weight_decay"] * dlr)
            p.addcdiv_(st["m"], denom, value=-dlr)
        return loss
