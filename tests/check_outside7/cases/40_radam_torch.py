import math

import torch
from torch.optim.optimizer import Optimizer


class RAdam(Optimizer):
    """Rectified Adam after the authors' repository, without the lookup buffer."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            N_max = 2 / (1 - beta2) - 1
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if len(st) == 0:
                    st["step"], st["m"], st["v"] = 0, torch.zeros_like(p), torch.zeros_like(p)
                st["step"] += 1
                k = st["step"]
                st["v"].mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
                st["m"].mul_(beta1).add_(p.grad, alpha=1 - beta1)

                b2t = beta2**k
                N = N_max - 2 * k * b2t / (1 - b2t)
                size = group["lr"] / (1 - beta1**k)
                if group["weight_decay"] != 0:
                    p.add_(p, alpha=-group["weight_decay"] * group["lr"])
                if N >= 5:
                    size *= math.sqrt((1 - b2t) * (N - 4) / (N_max - 4) * (N - 2) / N * N_max / (N_max - 2))
                    p.addcdiv_(st["m"], st["v"].sqrt().add_(group["eps"]), value=-size)
                else:
                    p.add_(st["m"], alpha=-size)
