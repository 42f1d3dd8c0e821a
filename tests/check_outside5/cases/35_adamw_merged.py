import math

import torch


class AdamW(torch.optim.Optimizer):
    r"""Adam / AdamW for the student library.

    Arguments:
        params: iterable of parameters or parameter groups
        lr: learning rate
        betas: coefficients of the running averages
        eps: added to the denominator
        weight_decay: weight decay coefficient
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            b1, b2 = group["betas"]
            lr, wd, eps = group["lr"], group["weight_decay"], group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                st = self.state[p]
                if len(st) == 0:
                    st["step"] = 0
                    st["m"] = torch.zeros_like(p)
                    st["v"] = torch.zeros_like(p)

                # decoupled decay
                p.mul_(1 - lr * wd)

                grad = p.grad
                if wd != 0:
                    grad = grad.add(p, alpha=wd)

                st["step"] += 1
                st["m"].lerp_(grad, 1 - b1)
                st["v"].mul_(b2).addcmul_(grad, grad, value=1 - b2)

                bias_correction1 = 1 - b2 ** st["step"]
                bias_correction2 = 1 - b2 ** st["step"]
                denom = (st["v"].sqrt() / math.sqrt(bias_correction2)).add_(eps)
                p.addcdiv_(st["m"], denom, value=-lr / bias_correction1)
        return loss
