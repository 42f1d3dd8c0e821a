import torch
from torch.optim.optimizer import Optimizer


class AMSGrad(Optimizer):
    """AMSGrad ("On the Convergence of Adam and Beyond"), with bias correction as in torch."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if group["weight_decay"] != 0:
                    g = g + group["weight_decay"] * p
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["m"] = torch.zeros_like(p)
                    state["v"] = torch.zeros_like(p)
                state["step"] += 1
                k = state["step"]

                state["m"] = b1 * state["m"] + (1 - b1) * g
                v = b2 * state["v"] + (1 - b2) * g * g
                # non-decreasing second moment
                state["v"] = torch.maximum(state["v"], v)

                denom = (state["v"] / (1 - b2**k)).sqrt() + group["eps"]
                p.sub_(group["lr"] / (1 - b1**k) * state["m"] / denom)
        return loss
