# ruff: noqa  (kept as it was written)
import torch
from torch.optim import Optimizer


class NesterovSGD(Optimizer):
    def __init__(self, params, lr=1e-2, momentum=0.9, weight_decay=0):
        if momentum <= 0:
            raise ValueError("Nesterov momentum requires a momentum")
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            momentum = group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                d_p = p.grad.clone()
                if group["weight_decay"] != 0:
                    d_p.add_(p, alpha=group["weight_decay"])

                param_state = self.state[p]
                if "momentum_buffer" not in param_state:
                    buf = param_state["momentum_buffer"] = d_p
                else:
                    buf = param_state["momentum_buffer"]
                    buf.mul_(momentum).add_(d_p)

                d_p.add_(buf, alpha=momentum)
                p.add_(d_p, alpha=-group["lr"])
