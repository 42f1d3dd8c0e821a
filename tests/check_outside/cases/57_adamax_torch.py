# ruff: noqa  (kept as it was written)
import torch
from torch.optim import Optimizer


class Adamax(Optimizer):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure else None
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            eps = group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_inf"] = torch.zeros_like(p)
                state["step"] += 1
                if group["weight_decay"] != 0:
                    grad = grad.add(p, alpha=group["weight_decay"])

                state["exp_avg"].mul_(beta1).add_(grad, alpha=1 - beta1)
                # exponentially weighted infinity norm
                state["exp_inf"].mul_(beta2).add_(grad.abs() + eps, alpha=1 - beta2)

                clr = group["lr"] / (1 - beta1 ** state["step"])
                p.addcdiv_(state["exp_avg"], state["exp_inf"], value=-clr)
        return loss
