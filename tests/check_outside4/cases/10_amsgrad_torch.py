import math

import torch


class AMSGrad(torch.optim.Optimizer):
    """Adam(amsgrad=True) without the extra buffer: the second moment is kept
    monotone in place, which saves one copy of the parameters."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps,
                                  "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if group["weight_decay"]:
                    g = g.add(p, alpha=group["weight_decay"])
                st = self.state[p]
                if "step" not in st:
                    st["step"] = 0
                    st["m"] = torch.zeros_like(p)
                    st["v"] = torch.zeros_like(p)
                st["step"] += 1
                st["m"].lerp_(g, 1 - b1)
                v_new = st["v"] * b2 + (1 - b2) * g * g
                vmax = torch.maximum(st["v"], v_new, out=st["v"])

                bc1 = 1 - b1 ** st["step"]
                bc2 = 1 - b2 ** st["step"]
                denom = vmax.sqrt().div_(math.sqrt(bc2)).add_(group["eps"])
                p.addcdiv_(st["m"], denom, value=-group["lr"] / bc1)
        return loss
