import torch
from torch.optim import Optimizer


class RMSpropTF(Optimizer):
    """RMSprop that reproduces the TensorFlow training of the mobile models."""

    def __init__(self, params, lr=1e-2, alpha=0.9, eps=1e-10, weight_decay=0.0, momentum=0.0, centered=False):
        super().__init__(params, dict(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay,
                                      momentum=momentum, centered=centered))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for grp in self.param_groups:
            keep = 1.0 - grp["alpha"]
            for p in grp["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                st = self.state[p]
                if len(st) == 0:
                    st["ms"] = torch.ones_like(p)
                    st["mom"] = torch.zeros_like(p)
                    st["mg"] = torch.zeros_like(p)
                if grp["weight_decay"]:
                    g = g.add(p, alpha=grp["weight_decay"])
                st["ms"].add_(g * g - st["ms"], alpha=keep)
                variance = st["ms"]
                if grp["centered"]:
                    st["mg"].add_(g - st["mg"], alpha=keep)
                    variance = variance - st["mg"] ** 2
                scaled = grp["lr"] * g * torch.rsqrt(variance + grp["eps"])
                if grp["momentum"] > 0:
                    st["mom"].mul_(grp["momentum"]).add_(scaled)
                    scaled = st["mom"]
                p.sub_(scaled)
        return loss
