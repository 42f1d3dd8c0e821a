import torch
from torch.optim import Optimizer


class AdamWScheduleFree(Optimizer):
    """Schedule-Free AdamW, constant lr after warmup; parameters hold y (train mode)."""

    def __init__(self, params, lr=0.0025, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, warmup_steps=0):
        defaults = dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, warmup_steps=warmup_steps,
            k=0, weight_sum=0.0, lr_max=-1.0,
        )
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            k = group["k"]
            sched = (k + 1) / group["warmup_steps"] if k < group["warmup_steps"] else 1.0
            bias_correction2 = 1 - beta2 ** (k + 1)
            lr = group["lr"] * sched
            group["lr_max"] = max(lr, group["lr_max"])
            weight = group["lr_max"] ** 2
            group["weight_sum"] += weight
            ckp1 = weight / group["weight_sum"] if group["weight_sum"] else 0.0

            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "z" not in state:
                    state["z"] = p.clone()
                    state["exp_avg_sq"] = torch.zeros_like(p)
                z, exp_avg_sq = state["z"], state["exp_avg_sq"]

                exp_avg_sq.mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
                denom = exp_avg_sq.div(bias_correction2).sqrt_().add_(group["eps"])
                d = p.grad / denom
                if group["weight_decay"] != 0:
                    d.add_(p, alpha=group["weight_decay"])

                # z step, then move y; x is never stored
                z.sub_(d, alpha=lr)
                p.lerp_(z, ckp1)
                p.add_(d, alpha=lr * (beta1 * (1 - ckp1) - 1))
            group["k"] = k + 1
