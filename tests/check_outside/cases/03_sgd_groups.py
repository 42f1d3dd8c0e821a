# ruff: noqa  (kept as it was written)
import torch


class PlainSGD(torch.optim.Optimizer):
    def __init__(self, params, lr=0.01, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        lr = self.defaults["lr"]
        for g in self.param_groups:
            wd = g["weight_decay"]
            for w in g["params"]:
                if w.grad is None:
                    continue
                grad = w.grad
                if wd:
                    grad = grad + wd * w
                w.sub_(lr * grad)
        return loss
