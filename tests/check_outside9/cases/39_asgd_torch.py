import torch
from torch.optim import Optimizer


class AveragedSGD(Optimizer):
    """Averaged SGD (Polyak & Juditsky), same arguments as torch.optim.ASGD.

    The running average of the iterates is kept in ``state[p]["ax"]``.
    """

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0):
        defaults = dict(lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        for group in self.param_groups:
            lr, lambd, alpha = group["lr"], group["lambd"], group["alpha"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["eta"] = lr
                    state["mu"] = 1.0
                    state["ax"] = torch.zeros_like(p)
                state["step"] += 1

                if group["weight_decay"] != 0:
                    grad = grad.add(p, alpha=group["weight_decay"])

                # decay term and gradient step
                p.mul_(1 - lambd * state["eta"])
                p.add_(grad, alpha=-state["eta"])

                # averaging
                if state["mu"] != 1:
                    state["ax"].add_(p.sub(state["ax"]).mul(state["mu"]))
                else:
                    state["ax"].copy_(p)

                # schedules of the step size and of the averaging weight
                state["eta"] = lr / (1 + lambd * lr * state["step"] ** alpha)
                state["mu"] = 1 / max(1, state["step"] - group["t0"])
        return loss
