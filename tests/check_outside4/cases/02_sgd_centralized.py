import torch
from torch.optim import Optimizer


class SGD_GC(Optimizer):
    """Stochastic gradient descent with gradient centralization.

    Args:
        params: iterable of parameters or dicts defining parameter groups
        lr: learning rate
        weight_decay: L2 penalty
        use_gc: centralize the gradients before the step
    """

    def __init__(self, params, lr=1e-2, weight_decay=0.0, use_gc=True):
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        defaults = dict(lr=lr, weight_decay=weight_decay, use_gc=use_gc)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                d_p = p.grad
                if group["use_gc"]:
                    d_p = d_p - d_p.mean(dim=0, keepdim=True)
                if group["weight_decay"] != 0:
                    d_p = d_p.add(p, alpha=group["weight_decay"])
                p.add_(d_p, alpha=-group["lr"])
        return loss
