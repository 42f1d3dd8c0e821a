# ruff: noqa  (kept as it was written)
import torch


class SimpleAdafactor(torch.optim.Optimizer):
    """Adafactor, factored for matrices, full second moment otherwise."""

    def __init__(self, params, lr=1e-2, decay=0.8, eps1=1e-30, eps2=1e-3, d=1.0, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, decay=decay, eps1=eps1, eps2=eps2, d=d, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for grp in self.param_groups:
            for p in grp["params"]:
                if p.grad is None:
                    continue
                s = self.state[p]
                t = s["t"] = s.get("t", 0) + 1
                w = t ** (-grp["decay"])  # weight of the new squared gradient
                sq = p.grad.square() + grp["eps1"]
                if p.dim() == 2:
                    if t == 1:
                        s["R"], s["C"] = sq.mean(1, keepdim=True), sq.mean(0, keepdim=True)
                    else:
                        s["R"].lerp_(sq.mean(1, keepdim=True), w)
                        s["C"].lerp_(sq.mean(0, keepdim=True), w)
                    v = s["R"] @ s["C"] / s["R"].mean()
                else:
                    s["V"] = sq if t == 1 else s["V"].lerp(sq, w)
                    v = s["V"]
                u = p.grad / v.sqrt()
                u = u / max(1.0, u.square().mean().sqrt().item() / grp["d"])

                rel = max(grp["lr"], t**-0.5)
                alpha = rel * max(grp["eps2"], p.square().mean().sqrt().item())
                if grp["weight_decay"]:
                    p.sub_(grp["weight_decay"] * p)
                p.sub_(alpha * u)
