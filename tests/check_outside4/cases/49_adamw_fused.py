import math

import torch
from torch.optim import Optimizer


class FusedAdamW(Optimizer):
    """AdamW with a single parameter write per step.

    The bias corrections are folded into one scalar (section 2 of the Adam
    paper) and the decay joins the direction, so the parameter is read and
    written only once.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            lr, eps, wd = group["lr"], group["eps"], group["weight_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(step=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                state["step"] += 1
                t, m, v = state["step"], state["m"], state["v"]
                m.mul_(beta1).add_(p.grad, alpha=1 - beta1)
                v.mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)

                root_bc2 = math.sqrt(1 - beta2 ** t)
                step_size = lr * root_bc2 / (1 - beta1 ** t)
                direction = m / (v.sqrt() + eps * root_bc2)
                direction.add_(p, alpha=wd)
                p.sub_(direction, alpha=step_size)
        return loss
