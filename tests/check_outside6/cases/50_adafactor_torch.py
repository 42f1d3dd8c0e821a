import torch
from torch.optim import Optimizer


def _rms(x):
    return x.pow(2).mean().sqrt()


class Adafactor(Optimizer):
    """Adafactor without first moment; matrices are factored, vectors are not.

    Update: alpha = max(eps2, RMS(p)) * min(lr, 1/sqrt(t)), clipping threshold d.
    """

    def __init__(self, params, lr=1e-2, beta2_decay=-0.8, eps=(1e-30, 1e-3), d=1.0, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            eps1, eps2 = group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                st = self.state[p]
                if not st:
                    st["t"] = 0
                    if g.dim() > 1:
                        st["row"] = g.new_zeros(g.shape[:-1])
                        st["col"] = g.new_zeros(g.shape[:-2] + g.shape[-1:])
                    else:
                        st["v"] = torch.zeros_like(g)
                st["t"] += 1
                t = st["t"]
                w = t ** group["beta2_decay"]
                alpha = max(eps2, _rms(p).item()) * min(group["lr"], t**-0.5)
                p.mul_(1 - group["lr"] * group["weight_decay"])

                sq = g * g + eps1
                if g.dim() > 1:
                    st["row"].lerp_(sq.mean(dim=-1), w)
                    st["col"].lerp_(sq.mean(dim=-2), w)
                    # rank one: R C / (1^T R)
                    total = st["row"].sum(dim=-1, keepdim=True)
                    v = (st["row"] / total).unsqueeze(-1) * st["col"].unsqueeze(-2)
                else:
                    v = st["v"].lerp_(sq, w)
                u = g / v.sqrt()
                u = u / max(1.0, _rms(u).item() / group["d"])
                p.sub_(alpha * u)
        return loss
