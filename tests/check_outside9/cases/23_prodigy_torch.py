import torch
from torch.optim import Optimizer


class Prodigy(Optimizer):
    """Prodigy (Mishchenko & Defazio, 2023); leave lr at 1."""

    def __init__(self, params, lr=1.0, betas=(0.9, 0.999), beta3=None, eps=1e-8,
                 weight_decay=0.0, d0=1e-6, d_coef=1.0, growth_rate=float("inf")):
        defaults = dict(lr=lr, betas=betas, beta3=beta3, eps=eps, weight_decay=weight_decay,
                        d=d0, d0=d0, d_max=d0, d_numerator=0.0, d_coef=d_coef,
                        growth_rate=growth_rate, k=0)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            beta3 = group["beta3"] if group["beta3"] is not None else beta2 ** 0.5
            d, d0 = group["d"], group["d0"]
            dlr = d * group["lr"]
            d_numerator = group["d_numerator"] * beta3
            d_denom = 0.0
            active = [p for p in group["params"] if p.grad is not None]

            for p in active:
                g = p.grad
                state = self.state[p]
                if not state:
                    state["s"] = torch.zeros_like(p)
                    state["p0"] = p.detach().clone()
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)

                # correlation of the gradient with the distance travelled
                d_numerator += (d / d0) * dlr * torch.sum(g * (p - state["p0"])).item()
                state["exp_avg"].mul_(beta1).add_(g, alpha=d * (1 - beta1))
                state["exp_avg_sq"].mul_(beta2).addcmul_(g, g, value=d * d * (1 - beta2))
                state["s"].mul_(beta3).add_(g, alpha=(d / d0) * dlr)
                d_denom += state["s"].abs().sum().item()

            if d_denom == 0:
                continue
            d_hat = group["d_coef"] * d_numerator / d_denom
            if d == d0:
                d = max(d, d_hat)
            group["d_max"] = max(group["d_max"], d_hat)
            d = min(group["d_max"], d * group["growth_rate"])
            group["d_numerator"] = d_numerator
            group["d"] = d

            for p in active:
                state = self.state[p]
                denom = state["exp_avg_sq"].sqrt().add_(d * group["eps"])
                if group["weight_decay"] != 0:
                    p.add_(p, alpha=-group["weight_decay"] * dlr)
                p.addcdiv_(state["exp_avg"], denom, value=-dlr)
            group["k"] += 1
        return loss
