import torch
from torch.optim import Optimizer


class NesterovSGD(Optimizer):
    """SGD with Nesterov momentum, the way torch.optim.SGD(nesterov=True) does it."""

    def __init__(self, params, lr=1e-2, momentum=0.9, weight_decay=0.0):
        if momentum <= 0:
            raise ValueError("Nesterov momentum requires a momentum")
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

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
                d_p = p.grad.clone()  # p.grad is left as it is (it may be accumulated)
                if group["weight_decay"] != 0:
                    d_p.add_(p, alpha=group["weight_decay"])
                state = self.state[p]
                buf = state.get("momentum_buffer")
                if buf is None:
                    buf = state["momentum_buffer"] = d_p
                else:
                    buf.mul_(mu).add_(d_p)
                # look-ahead
                d_p.add_(buf, alpha=mu)
                p.add_(d_p, alpha=-group["lr"])
        return loss
