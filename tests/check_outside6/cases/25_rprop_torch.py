import torch
from torch.optim import Optimizer


class Rprop(Optimizer):
    """Resilient backpropagation, vectorised with torch.where."""

    def __init__(self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50)):
        super().__init__(params, dict(lr=lr, etas=etas, step_sizes=step_sizes))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            eta_minus, eta_plus = group["etas"]
            lo, hi = group["step_sizes"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                st = self.state[p]
                if not st:
                    st["prev"] = torch.zeros_like(p)
                    st["delta"] = torch.full_like(p, group["lr"])

                agree = g * st["prev"]
                one = torch.ones_like(p)
                factor = torch.where(agree > 0, eta_plus * one, torch.where(agree < 0, eta_minus * one, one))
                st["delta"] = (st["delta"] * factor).clamp(lo, hi)

                # no move where the sign has just changed
                direction = torch.where(agree < 0, torch.zeros_like(g), g.sign())
                p.sub_(st["delta"] * direction)
                st["prev"].copy_(g)
        return loss
