import math

import torch
from torch.optim import Optimizer


class AdamWFolded(Optimizer):
    """AdamW, bias corrections folded into the step size and into epsilon."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01,
                 maximize=False):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps,
                                      weight_decay=weight_decay, maximize=maximize))

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
                grad = -p.grad if group["maximize"] else p.grad
                state = self.state[p]
                if not state:
                    # powers of beta, so that no step counter is needed
                    state["b1t"], state["b2t"] = 1.0, 1.0
                    state["m"] = torch.zeros_like(p)
                    state["v"] = torch.zeros_like(p)
                state["b1t"] *= b1
                state["b2t"] *= b2
                # unnormalised sums: the factors (1 - beta) come in below
                state["m"].mul_(b1).add_(grad)
                state["v"].mul_(b2).addcmul_(grad, grad)

                s = math.sqrt((1 - state["b2t"]) / (1 - b2))
                step_size = group["lr"] * (1 - b1) * s / (1 - state["b1t"])
                denom = state["v"].sqrt().add_(group["eps"] * s)
                p.sub_(p, alpha=group["lr"] * group["weight_decay"])
                p.addcdiv_(state["m"], denom, value=-step_size)
        return loss
