import math

import torch
from torch import Tensor
from torch.optim import Optimizer


def _adamw_kernel(
    p: Tensor, g: Tensor, m: Tensor, v: Tensor, step: int,
    lr: float, beta1: float, beta2: float, eps: float, wd: float,
) -> None:
    m.mul_(beta1).add_(g, alpha=1.0 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1.0 - beta2)
    bias1 = 1.0 - beta1**step
    bias2 = 1.0 - beta2**step
    step_size = lr / bias1
    denom = v.sqrt().div_(math.sqrt(bias2)).add_(eps)
    if wd != 0.0:
        # decoupled decay, fused with the parameter write
        p.mul_(1.0 - step_size * wd)
    p.addcdiv_(m, denom, value=-step_size)


class FusedAdamW(Optimizer):
    def __init__(self, params, lr: float = 1e-3, betas=(0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for grp in self.param_groups:
            for p in grp["params"]:
                if p.grad is None:
                    continue
                s = self.state[p]
                if "step" not in s:
                    s["step"] = 0
                    s["m"] = torch.zeros_like(p, memory_format=torch.preserve_format)
                    s["v"] = torch.zeros_like(p, memory_format=torch.preserve_format)
                s["step"] += 1
                _adamw_kernel(p, p.grad, s["m"], s["v"], s["step"], grp["lr"], *grp["betas"], grp["eps"], grp["weight_decay"])
        return loss
