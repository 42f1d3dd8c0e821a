import torch
from torch.optim import Optimizer


class SGDM(Optimizer):
    r"""SGD with (Nesterov) momentum and L2 penalty.

    Small self-contained version of ``torch.optim.SGD`` without the foreach
    and fused paths, handy for reading.
    """

    def __init__(self, params, lr=1e-2, momentum=0.9, weight_decay=0.0, nesterov=False):
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if nesterov and momentum <= 0:
            raise ValueError("Nesterov momentum requires a momentum")
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        for group in self.param_groups:
            mu = group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                d_p = p.grad.detach().clone()
                if group["weight_decay"] != 0:
                    d_p.add_(p, alpha=group["weight_decay"])

                if mu != 0:
                    state = self.state[p]
                    buf = state.get("momentum_buffer")
                    if buf is None:
                        buf = state["momentum_buffer"] = d_p
                    else:
                        buf.mul_(mu).add_(d_p)
                    if group["nesterov"]:
                        d_p.add_(buf, alpha=mu)
                    else:
                        d_p = buf

                p.add_(d_p, alpha=-group["lr"])
        return loss
