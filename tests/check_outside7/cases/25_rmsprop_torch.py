import torch
from torch.optim import Optimizer


class RMSpropTF(Optimizer):
    """RMSprop behaving like the TensorFlow op, needed to reproduce the EfficientNet recipe."""

    def __init__(self, params, lr=1e-2, alpha=0.9, eps=1e-10, weight_decay=0, momentum=0.0):
        super().__init__(params, dict(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            keep = group["alpha"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if group["weight_decay"]:
                    g = g.add(p, alpha=group["weight_decay"])
                st = self.state[p]
                if not st:
                    st["ms"] = torch.ones_like(p)
                    st["mom"] = torch.zeros_like(p)
                st["ms"].lerp_(g.square(), 1 - keep)
                scaled = group["lr"] * g * torch.rsqrt(st["ms"] + group["eps"])
                st["mom"].mul_(group["momentum"]).add_(scaled)
                p.sub_(st["mom"])
