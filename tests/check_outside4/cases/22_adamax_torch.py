import torch
from torch.optim import Optimizer


class Adamax(Optimizer):
    """Adamax, Adam with the infinity norm. TF checkpoint compatible slots."""

    def __init__(self, params, lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        super().__init__(params, dict(lr=lr, beta1=beta1, beta2=beta2, eps=eps))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["m"] = torch.zeros_like(p)
                    state["u"] = torch.zeros_like(p)
                state["step"] += 1
                m, u = state["m"], state["u"]

                m.lerp_(p.grad, group["beta1"])
                torch.maximum(u.mul_(group["beta2"]), p.grad.abs(), out=u)

                clr = group["lr"] / (1 - group["beta1"] ** state["step"])
                p.addcdiv_(m, u + group["eps"], value=-clr)
        return loss
