import torch
from torch.optim import Optimizer


class SGDScheduleFree(Optimizer):
    r"""Schedule-Free SGD (Defazio et al., 2024).

    ``p`` holds the extrapolated point y while training; only z is stored and the
    averaged point x is recovered from the two when ``eval()`` is called.
    """

    def __init__(self, params, lr=1.0, momentum=0.9, weight_decay=0.0, warmup_steps=0,
                 weight_lr_power=2.0):
        defaults = dict(lr=lr, momentum=momentum, weight_decay=weight_decay, k=0,
                        warmup_steps=warmup_steps, weight_sum=0.0, lr_max=-1.0,
                        weight_lr_power=weight_lr_power, train_mode=True)
        super().__init__(params, defaults)

    @torch.no_grad()
    def eval(self):
        for group in self.param_groups:
            if group["train_mode"]:
                for p in group["params"]:
                    if "z" in self.state[p]:
                        # x = y + (1 - 1/beta) * (z - y)
                        p.lerp_(self.state[p]["z"], weight=1 - 1 / group["momentum"])
                group["train_mode"] = False

    @torch.no_grad()
    def train(self):
        for group in self.param_groups:
            if not group["train_mode"]:
                for p in group["params"]:
                    if "z" in self.state[p]:
                        p.lerp_(self.state[p]["z"], weight=1 - group["momentum"])
                group["train_mode"] = True

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            k, beta = group["k"], group["momentum"]
            sched = min(1.0, (k + 1) / group["warmup_steps"]) if group["warmup_steps"] else 1.0
            lr = group["lr"] * sched
            group["lr_max"] = max(lr, group["lr_max"])
            weight = group["lr_max"] ** group["weight_lr_power"]
            group["weight_sum"] += weight
            ckp1 = weight / group["weight_sum"] if group["weight_sum"] > 0 else 0.0

            for y in group["params"]:
                if y.grad is None:
                    continue
                if "z" not in self.state[y]:
                    self.state[y]["z"] = torch.clone(y, memory_format=torch.preserve_format)
                z = self.state[y]["z"]
                grad = y.grad
                if group["weight_decay"] != 0:
                    grad = grad.add(y, alpha=group["weight_decay"])
                # these two lines are equivalent to averaging x and re-interpolating y
                y.lerp_(z, ckp1)
                y.add_(grad, alpha=lr * (beta * (1 - ckp1) - 1))
                z.sub_(grad, alpha=lr)
            group["k"] = k + 1
        return loss
