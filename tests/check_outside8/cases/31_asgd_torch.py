import torch
from torch.optim import Optimizer


class ASGD(Optimizer):
    """Averaged SGD (Polyak & Juditsky); the averaged iterate is kept in state["ax"]."""

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            lr, lambd = group["lr"], group["lambd"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if "step" not in st:
                    st.update(step=0, eta=lr, mu=1.0, ax=torch.zeros_like(p))
                st["step"] += 1
                grad = p.grad
                if group["weight_decay"] != 0:
                    grad = grad.add(p, alpha=group["weight_decay"])

                p.mul_(1 - lambd * st["eta"])
                p.add_(grad, alpha=-st["eta"])

                if st["mu"] != 1:
                    st["ax"].add_((p - st["ax"]).mul_(st["mu"]))
                else:
                    st["ax"].copy_(p)

                st["eta"] = st["eta"] / ((1 + lambd * lr * st["step"]) ** group["alpha"])
                st["mu"] = 1 / max(1, st["step"] - group["t0"])
        return loss
