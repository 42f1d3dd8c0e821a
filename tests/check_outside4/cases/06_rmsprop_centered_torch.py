import torch
from torch.optim import Optimizer


class CenteredRMSprop(Optimizer):
    """RMSprop as in "Generating Sequences With Recurrent Neural Networks":
    the second moment is centered, momentum is optional."""

    def __init__(self, params, lr=1e-2, alpha=0.95, eps=1e-4, momentum=0.9, centered=True):
        super().__init__(params, dict(lr=lr, alpha=alpha, eps=eps,
                                      momentum=momentum, centered=centered))

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
                grad = p.grad
                state = self.state[p]
                if not state:
                    state["square_avg"] = torch.zeros_like(p)
                    state["grad_avg"] = torch.zeros_like(p)
                    state["buf"] = torch.zeros_like(p)

                sq, buf = state["square_avg"], state["buf"]
                sq.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
                if group["centered"]:
                    avg = state["grad_avg"].lerp_(grad, 1 - alpha)
                    denom = sq.addcmul(avg, avg).sqrt_().add_(group["eps"])
                else:
                    denom = sq.sqrt().add_(group["eps"])

                if group["momentum"] > 0:
                    buf.mul_(group["momentum"]).add_(grad)
                    p.addcdiv_(buf, denom, value=-group["lr"])
                else:
                    p.addcdiv_(grad, denom, value=-group["lr"])
        return loss
