from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer


class ForeachMomentum(Optimizer):
    """SGD with momentum and dampening on top of the ``torch._foreach_*`` ops."""

    def __init__(self, params, lr: float = 1e-3, momentum: float = 0.9,
                 dampening: float = 0.0, weight_decay: float = 0.0):
        defaults = dict(lr=lr, momentum=momentum, dampening=dampening,
                        weight_decay=weight_decay)
        super().__init__(params, defaults)

    def _collect(self, group) -> tuple[list[Tensor], list[Tensor], list[Tensor | None]]:
        ps, gs, bufs = [], [], []
        for p in group["params"]:
            if p.grad is not None:
                ps.append(p)
                gs.append(p.grad)
                bufs.append(self.state[p].get("momentum_buffer"))
        return ps, gs, bufs

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        for group in self.param_groups:
            params, grads, bufs = self._collect(group)
            if not params:
                continue

            if group["weight_decay"] != 0:
                grads = torch._foreach_add(grads, params, alpha=group["weight_decay"])

            if any(b is None for b in bufs):
                bufs = [g.clone() if b is None else
                        b.mul_(group["momentum"] * (1 - group["dampening"])).add_(g)
                        for b, g in zip(bufs, grads)]
                for p, b in zip(params, bufs):
                    self.state[p]["momentum_buffer"] = b
            else:
                # fast path, every buffer exists already
                torch._foreach_mul_(bufs, group["momentum"] * (1 - group["dampening"]))
                torch._foreach_add_(bufs, grads)

            torch._foreach_add_(params, bufs, alpha=-group["lr"])
        return loss
