import torch
from torch.optim import Optimizer


class RMSpropTF(Optimizer):
    """RMSprop with TensorFlow's habits, for reproducing EfficientNet / MobileNet recipes."""

    def __init__(self, params, lr=1e-2, alpha=0.9, eps=1e-10, momentum=0.0, centered=False):
        super().__init__(params, dict(lr=lr, alpha=alpha, eps=eps, momentum=momentum, centered=centered))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for grp in self.param_groups:
            k = 1.0 - grp["alpha"]
            for p in grp["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if not st:
                    st["ms"] = torch.ones_like(p)
                    st["mg"] = torch.zeros_like(p)
                    st["mom"] = torch.zeros_like(p)
                g = p.grad
                st["ms"] += k * (g.square() - st["ms"])
                under = st["ms"] + grp["eps"]
                if grp["centered"]:
                    st["mg"] += k * (g - st["mg"])
                    under = under - st["mg"].square()
                scaled = grp["lr"] * g * under.rsqrt()
                if grp["momentum"] > 0:
                    st["mom"].mul_(grp["momentum"]).add_(scaled)
                    scaled = st["mom"]
                p.sub_(scaled)
        return loss
