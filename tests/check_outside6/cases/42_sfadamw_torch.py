import torch
from torch.optim import Optimizer


class AdamWScheduleFree(Optimizer):
    """Schedule-free AdamW. The parameters hold y while training; z and v are state.

    x is never stored: y is moved directly, as in the reference implementation.
    """

    def __init__(self, params, lr=0.0025, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, weight_lr_power=2.0):
        super().__init__(
            params,
            dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, weight_lr_power=weight_lr_power,
                 k=0, weight_sum=0.0, lr_max=0.0),
        )

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            lr = group["lr"]
            group["k"] += 1
            bias_correction2 = 1 - beta2 ** group["k"]
            group["lr_max"] = max(lr, group["lr_max"])
            weight = group["lr_max"] ** group["weight_lr_power"]
            group["weight_sum"] += weight
            ckp1 = weight / group["weight_sum"]

            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "z" not in state:
                    state["z"] = p.clone()
                    state["exp_avg_sq"] = torch.zeros_like(p)
                y, z, v = p, state["z"], state["exp_avg_sq"]
                grad = p.grad

                v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                denom = v.div(bias_correction2).sqrt_().add_(group["eps"])
                direction = grad.div(denom)
                if group["weight_decay"]:
                    direction = direction.add(y, alpha=group["weight_decay"])

                # base step
                z.sub_(direction, alpha=lr)
                # move y towards the new average
                y.lerp_(z, ckp1)
                y.add_(direction, alpha=lr * (beta1 * (1 - ckp1) - 1))
        return loss
