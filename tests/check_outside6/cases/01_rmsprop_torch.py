import torch
from torch.optim import Optimizer


class CenteredRMSprop(Optimizer):
    """RMSprop of Graves (2013), with optional centering and momentum."""

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0.0, centered=True):
        super().__init__(
            params,
            dict(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered),
        )

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            a = group["alpha"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if group["weight_decay"]:
                    g = g.add(p, alpha=group["weight_decay"])
                s = self.state[p]
                if not s:
                    s["square_avg"] = torch.zeros_like(p)
                    s["grad_avg"] = torch.zeros_like(p)
                    s["buf"] = torch.zeros_like(p)

                sq = s["square_avg"].mul_(a).addcmul_(g, g, value=1 - a)
                if group["centered"]:
                    var = sq - s["grad_avg"].square()
                    s["grad_avg"].lerp_(g, 1 - a)
                else:
                    var = sq
                denom = var.sqrt().add_(group["eps"])

                if group["momentum"] > 0:
                    s["buf"].mul_(group["momentum"]).addcdiv_(g, denom)
                    p.add_(s["buf"], alpha=-group["lr"])
                else:
                    p.addcdiv_(g, denom, value=-group["lr"])
        return loss
