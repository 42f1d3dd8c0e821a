import torch


class Prodigy(torch.optim.Optimizer):
    """Prodigy (Mishchenko & Defazio 2023), without the distributed parts.

    lr is a multiplier, usually left at 1.0; the step size d is estimated.
    """

    def __init__(self, params, lr=1.0, betas=(0.9, 0.999), beta3=None, eps=1e-8,
                 weight_decay=0.0, d0=1e-6, d_coef=1.0):
        defaults = dict(lr=lr, betas=betas, beta3=beta3, eps=eps, weight_decay=weight_decay,
                        d0=d0, d=d0, d_coef=d_coef, d_numerator=0.0)
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
            d, d0, lr = group["d"], group["d0"], group["lr"]
            dlr = d * lr
            numerator = group["d_numerator"] * beta3
            denominator = 0.0

            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                state = self.state[p]
                if "s" not in state:
                    state["s"] = torch.zeros_like(p)
                    state["p0"] = p.detach().clone()
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                s = state["s"]

                numerator += (d / d0) * dlr * torch.sum(grad * (state["p0"] - p)).item()
                state["exp_avg"].mul_(beta1).add_(grad, alpha=d * (1 - beta1))
                state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=d * d * (1 - beta2))
                s.mul_(beta3).add_(grad, alpha=(d / d0) * dlr)
                denominator += s.norm().item()

            group["d_numerator"] = numerator
            if denominator > 0:
                d = max(d, group["d_coef"] * numerator / denominator)
            group["d"] = d

            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                denom = state["exp_avg_sq"].sqrt().add_(d * group["eps"])
                if group["weight_decay"] != 0:
                    p.add_(p, alpha=-group["weight_decay"] * dlr)
                p.addcdiv_(state["exp_avg"], denom, value=-dlr)
        return loss
