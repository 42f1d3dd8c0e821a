# ruff: noqa  (kept as it was written)
import torch
from torch.optim import Optimizer


class AdamWScheduleFree(Optimizer):
    """Schedule-free AdamW, constant lr, no warm-up. Parameters hold y."""

    def __init__(self, params, lr=0.0025, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, k=0)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else closure()
        for group in self.param_groups:
            lr, eps, decay = group["lr"], group["eps"], group["weight_decay"]
            beta1, beta2 = group["betas"]
            k = group["k"]
            ckp1 = 1.0 / (k + 1)
            for y in group["params"]:
                if y.grad is None:
                    continue
                grad = y.grad
                state = self.state[y]
                if "z" not in state:
                    state["z"] = y.detach().clone()
                    state["exp_avg_sq"] = torch.zeros_like(y)
                z, exp_avg_sq = state["z"], state["exp_avg_sq"]
                exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                denom = exp_avg_sq.sqrt().add_(eps)
                update = grad / denom
                if decay != 0:
                    update = update + decay * z
                y.lerp_(z, ckp1)
                y.add_(update, alpha=lr * (beta1 * (1 - ckp1) - 1))
                z.sub_(update, alpha=lr)
            group["k"] = k + 1
        return loss
