import math

import torch
from torch.optim import Optimizer


class Adan(Optimizer):
    """Adaptive Nesterov momentum (Xie et al. 2022).

    betas are the decay factors, as in the authors' repository:
    (0.98, 0.92, 0.99) for the gradient, its difference, and the square.
    """

    def __init__(self, params, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0):
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            b1, b2, b3 = group["betas"]
            lr, eps = group["lr"], group["eps"]
            group["step"] = group.get("step", 0) + 1
            k = group["step"]
            c1, c2, c3 = 1 - b1 ** k, 1 - b2 ** k, math.sqrt(1 - b3 ** k)
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                state = self.state[p]
                if not state:
                    for key in ("exp_avg", "exp_avg_diff", "exp_avg_sq"):
                        state[key] = torch.zeros_like(p)
                # the first difference is zero
                diff = g - state.setdefault("pre_grad", g.clone())

                state["exp_avg"].mul_(b1).add_(g, alpha=1 - b1)
                state["exp_avg_diff"].mul_(b2).add_(diff, alpha=1 - b2)
                look = g + b2 * diff
                state["exp_avg_sq"].mul_(b3).addcmul_(look, look, value=1 - b3)

                denom = state["exp_avg_sq"].sqrt() / c3 + eps
                p.addcdiv_(state["exp_avg"], denom, value=-lr / c1)
                p.addcdiv_(state["exp_avg_diff"], denom, value=-lr * b2 / c2)
                p.div_(1 + lr * group["weight_decay"])
        return loss
