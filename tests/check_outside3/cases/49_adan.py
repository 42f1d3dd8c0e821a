import math

import torch
from torch.optim.optimizer import Optimizer


class Adan(Optimizer):
    """Adaptive Nesterov momentum (Xie et al., https://arxiv.org/abs/2208.06677).

    Arguments:
        params (iterable): iterable of parameters to optimize or parameter groups
        lr (float): learning rate (default: 1e-3)
        betas: coefficients for the first moment, the gradient differences and
            the second moment (default: (0.98, 0.92, 0.99))
        eps (float): added to the denominator (default: 1e-8)
        weight_decay (float): proximal weight decay (default: 0)
    """

    def __init__(self, params, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0):
        for b in betas:
            if not 0.0 <= b < 1.0:
                raise ValueError(f"Invalid beta parameter: {b}")
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        for group in self.param_groups:
            beta1, beta2, beta3 = group["betas"]
            group["step"] = group.get("step", 0) + 1
            bias_correction1 = 1.0 - beta1 ** group["step"]
            bias_correction2 = 1.0 - beta2 ** group["step"]
            bias_correction3 = 1.0 - beta3 ** group["step"]

            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                state = self.state[p]
                if len(state) == 0:
                    for key in ("exp_avg", "exp_avg_sq", "exp_avg_diff", "pre_grad"):
                        state[key] = torch.zeros_like(p)

                diff = grad - state["pre_grad"]
                state["pre_grad"].copy_(grad)

                state["exp_avg"].mul_(beta1).add_(grad, alpha=1 - beta1)
                state["exp_avg_diff"].mul_(beta2).add_(diff, alpha=1 - beta2)
                state["exp_avg_sq"].mul_(beta3).addcmul_(grad, grad, value=1 - beta3)

                denom = (state["exp_avg_sq"].sqrt() / math.sqrt(bias_correction3)).add_(group["eps"])
                p.addcdiv_(state["exp_avg"], denom, value=-group["lr"] / bias_correction1)
                p.addcdiv_(state["exp_avg_diff"], denom,
                           value=-group["lr"] * beta2 / bias_correction2)
                p.div_(1 + group["lr"] * group["weight_decay"])
        return loss
