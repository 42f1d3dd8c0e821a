# ruff: noqa  (kept as it was written)
import torch
from torch.optim import Optimizer


class SGDScheduleFree(Optimizer):
    """Schedule-Free SGD. In train mode the parameters are y; call eval() for the average x."""

    def __init__(self, params, lr=1.0, momentum=0.9, weight_decay=0.0, warmup_steps=0, weight_lr_power=2.0):
        defaults = dict(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            warmup_steps=warmup_steps,
            weight_lr_power=weight_lr_power,
            k=0,
            lr_max=0.0,
            weight_sum=0.0,
        )
        super().__init__(params, defaults)

    @torch.no_grad()
    def eval(self):
        for group in self.param_groups:
            for p in group["params"]:
                if "x" in self.state[p]:
                    p.copy_(self.state[p]["x"])

    @torch.no_grad()
    def train(self):
        for group in self.param_groups:
            for p in group["params"]:
                if "y" in self.state[p]:
                    p.copy_(self.state[p]["y"])

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta = group["momentum"]
            k = group["k"]
            sched = (k + 1) / group["warmup_steps"] if k < group["warmup_steps"] else 1.0
            lr = group["lr"] * sched
            group["lr_max"] = max(lr, group["lr_max"])
            weight = group["lr_max"] ** group["weight_lr_power"]
            group["weight_sum"] += weight
            c = weight / group["weight_sum"]

            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "z" not in state:
                    state["z"], state["x"] = p.clone(), p.clone()
                z, x = state["z"], state["x"]
                grad = p.grad + group["weight_decay"] * p

                z.sub_(grad, alpha=lr)
                x.lerp_(z, c)
                p.copy_(beta * z + (1 - beta) * x)
                state["y"] = p.clone()
            group["k"] = k + 1
        return loss
