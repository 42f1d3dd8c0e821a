import torch
from torch.optim import Optimizer


class SGDScheduleFree(Optimizer):
    """Schedule-Free SGD with linear warm-up.

    The parameters hold y, the point where gradients are taken; z and x live
    in the state. ``eval_params()`` returns the averaged iterates.
    """

    def __init__(self, params, lr=0.1, beta=0.9, weight_decay=0.0, warmup_steps=10):
        super().__init__(params, dict(lr=lr, beta=beta, weight_decay=weight_decay,
                                      warmup_steps=warmup_steps, k=0, weight_sum=0.0))

    def eval_params(self):
        return [self.state[p]["x"] for g in self.param_groups for p in g["params"]]

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            group["k"] += 1
            lr = group["lr"]
            sched = min(1.0, group["k"] / group["warmup_steps"]) if group["warmup_steps"] else 1.0
            weight = lr ** 2
            group["weight_sum"] += weight
            c = weight / group["weight_sum"]

            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "z" not in state:
                    state["z"] = p.clone()
                    state["x"] = p.clone()
                z, x = state["z"], state["x"]
                g = p.grad.add(p, alpha=group["weight_decay"])
                z.sub_(g, alpha=lr * sched)
                x.lerp_(z, c)
                p.copy_(torch.lerp(z, x, group["beta"]))
        return loss
