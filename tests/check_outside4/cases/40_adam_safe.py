import math

import torch
from torch.optim import Optimizer


class ClippedAdam(Optimizer):
    """Adam with the gradient clipping built in, so that training loops need
    no extra call to ``clip_grad_norm_``."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, max_norm=1.0):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, max_norm=max_norm))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                state["step"] += 1

                grad = p.grad
                scale = 1.0
                if group["max_norm"] is not None:
                    scale = min(1.0, group["max_norm"] / (float(grad.norm()) + 1e-12))

                state["exp_avg"].mul_(beta1).add_(grad, alpha=scale * (1 - beta1))
                state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)

                bc1 = 1 - beta1 ** state["step"]
                bc2 = 1 - beta2 ** state["step"]
                denom = (state["exp_avg_sq"].sqrt() / math.sqrt(bc2)).add_(group["eps"])
                p.addcdiv_(state["exp_avg"], denom, value=-group["lr"] / bc1)
        return loss
