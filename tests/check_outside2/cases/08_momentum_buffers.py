# ruff: noqa  (kept as it was written)
import torch


class SGDMomentum:
    def __init__(self, parameters, lr=0.01, momentum=0.9):
        self.params = [p for p in parameters if p.requires_grad]
        self.lr = lr
        self.momentum = momentum
        self.bufs = {}

    def zero_grad(self):
        for p in self.params:
            if p.grad is not None:
                p.grad.zero_()

    @torch.no_grad()
    def step(self):
        for idx, p in enumerate(self.params):
            grad = p.grad
            if grad is None:
                continue
            if idx not in self.bufs:
                self.bufs[idx] = grad
            else:
                self.bufs[idx].mul_(self.momentum).add_(grad)
            p.sub_(self.bufs[idx], alpha=self.lr)
