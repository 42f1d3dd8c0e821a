import torch


class NesterovSGD(torch.optim.Optimizer):
    """SGD with Nesterov momentum (and, if asked for, L2 regularisation)."""

    def __init__(self, params, lr=0.01, momentum=0.9, weight_decay=0.0):
        if momentum <= 0:
            raise ValueError("momentum must be positive")
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            mu, lr, wd = group["momentum"], group["lr"], group["weight_decay"]
            for p in filter(lambda q: q.grad is not None, group["params"]):
                g = p.grad + wd * p if wd else p.grad
                state = self.state[p]
                if "velocity" not in state:
                    # nothing to extrapolate with so far
                    state["velocity"] = g.clone()
                    p.sub_(lr * g)
                    continue
                vel = state["velocity"]
                vel.mul_(mu).add_(g)
                p.sub_(lr * (g + mu * vel))
        return loss
