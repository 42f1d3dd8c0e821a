import torch


class CenteredRMSprop(torch.optim.Optimizer):
    """RMSprop of Graves (2013) with the running variance in the denominator.

    ``centered=False`` gives Hinton's version.
    """

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, momentum=0.0, centered=True):
        super().__init__(params, dict(lr=lr, alpha=alpha, eps=eps, momentum=momentum, centered=centered))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            alpha = group["alpha"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                s = self.state[p]
                if len(s) == 0:
                    s["square_avg"] = torch.zeros_like(p)
                    s["grad_avg"] = torch.zeros_like(p)
                    s["momentum_buffer"] = torch.zeros_like(p)

                sq = s["square_avg"].mul_(alpha).addcmul_(g, g, value=1 - alpha)
                if group["centered"]:
                    avg = s["grad_avg"].mul_(alpha).add_(g, alpha=1 - alpha)
                    denom = sq.sub(avg.pow_(2)).sqrt_().add_(group["eps"])
                else:
                    denom = sq.sqrt().add_(group["eps"])

                if group["momentum"] > 0:
                    buf = s["momentum_buffer"].mul_(group["momentum"]).addcdiv_(g, denom)
                    p.add_(buf, alpha=-group["lr"])
                else:
                    p.addcdiv_(g, denom, value=-group["lr"])
        return loss
