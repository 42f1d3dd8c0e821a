# ruff: noqa  (kept as it was written)
import torch
from torch.optim.optimizer import Optimizer


class MomentumSGD(Optimizer):
    def __init__(self, params, lr=1e-3, momentum=0.9, dampening=0, weight_decay=0):
        super().__init__(params, dict(lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            mu, damp = group["momentum"], group["dampening"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if group["weight_decay"]:
                    g = g.add(p, alpha=group["weight_decay"])
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(p)
                buf = state["momentum_buffer"]
                buf.mul_(mu).add_(g, alpha=1 - damp)
                p.add_(buf, alpha=-group["lr"])
        return loss
