import torch
from torch.optim import Optimizer


class AveragedSGD(Optimizer):
    """Averaged SGD. Running iterate in p, Polyak average in state['ax'] (use swap_in() for evaluation)."""

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0):
        super().__init__(params, dict(lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                state = self.state[p]
                if not state:
                    state["step"] = 0
                    state["eta"] = group["lr"]
                    state["mu"] = 1.0
                    state["ax"] = torch.zeros_like(p)
                state["step"] += 1

                if group["weight_decay"] != 0:
                    grad = grad.add(p, alpha=group["weight_decay"])

                p.mul_(1 - group["lambd"] * state["eta"])
                p.add_(grad, alpha=-state["eta"])

                if state["mu"] == 1:
                    state["ax"].copy_(p)
                else:
                    state["ax"].add_(p - state["ax"], alpha=state["mu"])

                state["eta"] = group["lr"] / (1 + group["lambd"] * group["lr"] * state["step"] ** group["alpha"])
                state["mu"] = 1 / max(1, state["step"] - group["t0"])

    @torch.no_grad()
    def swap_in(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.copy_(self.state[p]["ax"])
