import math

import torch
from torch.optim.optimizer import Optimizer


class AMSGrad(Optimizer):
    r"""Adam with the long-term memory of past gradients (AMSGrad).

    Args:
        params: iterable of parameters or parameter groups
        lr: learning rate
        betas: coefficients of the running averages
        eps: added to the denominator
        weight_decay: L2 penalty
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    def _init_state(self, p):
        st = self.state[p]
        st["step"] = 0
        st["exp_avg"] = torch.zeros_like(p)
        st["exp_avg_sq"] = torch.zeros_like(p)
        st["max_exp_avg_sq"] = torch.zeros_like(p)

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                if not self.state[p]:
                    self._init_state(p)
                st = self.state[p]
                st["step"] += 1
                g = p.grad
                if group["weight_decay"]:
                    g = g.add(p, alpha=group["weight_decay"])

                exp_avg, exp_avg_sq = st["exp_avg"], st["exp_avg_sq"]
                max_exp_avg_sq = st["max_exp_avg_sq"]
                exp_avg.lerp_(g, 1 - b1)
                exp_avg_sq.mul_(b2).addcmul_(g, g, value=1 - b2)

                # keep the largest second moment seen so far
                max_exp_avg_sq = torch.maximum(max_exp_avg_sq, exp_avg_sq)

                bc1 = 1 - b1 ** st["step"]
                bc2 = 1 - b2 ** st["step"]
                denom = max_exp_avg_sq.sqrt().div_(math.sqrt(bc2)).add_(group["eps"])
                p.addcdiv_(exp_avg, denom, value=-group["lr"] / bc1)
        return loss
