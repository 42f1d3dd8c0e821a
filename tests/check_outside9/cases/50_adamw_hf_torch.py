import math

import torch


class AdamWeightDecay(torch.optim.Optimizer):
    """
    Adam with the weight decay fix. The moments are kept in one stacked
    tensor (row 0 first moment, row 1 second moment) so that a checkpoint
    has one entry per parameter.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0, correct_bias=True):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps,
                                  "weight_decay": weight_decay, "correct_bias": correct_bias})

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in filter(lambda q: q.grad is not None, group["params"]):
                st = self.state[p]
                if "moments" not in st:
                    st["moments"] = p.new_zeros((2, *p.shape))
                    st["step"] = 0
                st["step"] += 1
                m, v = st["moments"]
                m.add_(p.grad - m, alpha=1.0 - b1)
                v.add_(p.grad.square() - v, alpha=1.0 - b2)

                alpha = group["lr"]
                if group["correct_bias"]:
                    alpha = alpha * math.sqrt(1.0 - b2 ** st["step"]) / (1.0 - b1 ** st["step"])
                p.sub_(alpha * m / (v.sqrt() + group["eps"]))

                # after the Adam step, so that the decay does not touch m and v
                if group["weight_decay"] > 0.0:
                    p.sub_(p, alpha=group["lr"] * group["weight_decay"])
        return loss
