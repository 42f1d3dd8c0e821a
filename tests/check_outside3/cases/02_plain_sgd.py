import torch
from torch.optim import Optimizer


class PlainSGD(Optimizer):
    r"""Momentum-free SGD, kept separate from :class:`torch.optim.SGD` because
    we need no per-parameter state at all (sharded embedding tables).

    Args:
        params: iterable of parameters or dicts defining parameter groups
        lr (float): learning rate
        weight_decay (float): L2 penalty
        maximize (bool): maximize the objective instead of minimizing it
    """

    def __init__(self, params, lr=1e-2, weight_decay=0.0, *, maximize=False):
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, maximize=maximize))

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
                if group["weight_decay"] != 0:
                    d_p = d_p.add(p, alpha=group["weight_decay"])
                if group["maximize"]:
                    d_p = d_p.neg()
                p.add_(d_p, alpha=-group["lr"])
        return loss
