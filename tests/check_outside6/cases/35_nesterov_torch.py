import torch
from torch.optim import Optimizer


class NesterovSGD(Optimizer):
    r"""SGD with Nesterov momentum.

    Args:
        lr: learning rate
        momentum: momentum factor
        weight_decay: L2 penalty
    """

    def __init__(self, params, lr=1e-2, momentum=0.9, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            mu, wd = group["momentum"], group["weight_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                d_p = p.grad.add(p, alpha=wd) if wd else p.grad
                state = self.state[p]
                if "momentum_buffer" not in state:
                    buf = state["momentum_buffer"] = d_p.clone()
                else:
                    buf = state["momentum_buffer"]
                    buf.mul_(mu).add_(d_p)
                # look-ahead direction, no extra allocation
                direction = buf.mul_(mu).add_(d_p)
                p.add_(direction, alpha=-group["lr"])
        return loss
