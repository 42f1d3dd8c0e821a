import math
from typing import Callable, Iterable, Tuple

import torch
from torch.optim import Optimizer


class AdamW(Optimizer):
    """Adam with weight decay fix, for fine-tuning transformers."""

    def __init__(
        self,
        params: Iterable[torch.nn.parameter.Parameter],
        lr: float = 1e-3,
        betas: Tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        correct_bias: bool = True,
    ):
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, correct_bias=correct_bias)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable = None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                mem = self.state[w]
                if not mem:
                    mem["n"] = 0
                    mem["first"] = torch.zeros_like(w)
                    mem["second"] = torch.zeros_like(w)
                mem["n"] += 1
                mem["first"] += (1.0 - b1) * (w.grad - mem["first"])
                mem["second"] -= (1.0 - b2) * (mem["second"] - w.grad.square())

                rate = group["lr"]
                if group["correct_bias"]:  # No bias correction for BERT
                    rate *= math.sqrt(1.0 - b2 ** mem["n"]) / (1.0 - b1 ** mem["n"])
                w -= rate * mem["first"] / (mem["second"].sqrt() + group["eps"])

                # decay last, on the already updated weights
                if group["weight_decay"] > 0.0:
                    w -= group["lr"] * group["weight_decay"] * w
        return loss
