# ruff: noqa  (kept as it was written)
import torch


class ScheduleFreeSGD:
    """Schedule-free SGD (Defazio et al., 2024).

    The parameters hold the point y where gradients are taken; averaged()
    gives the point x to evaluate.
    """

    def __init__(self, params, lr=1.0, beta=0.9, weight_decay=0.0):
        self.params = list(params)
        self.lr, self.beta, self.weight_decay = lr, beta, weight_decay
        self.z = [p.detach().clone() for p in self.params]
        self.x = [p.detach().clone() for p in self.params]
        self.k = 0

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        c = 1.0 / (self.k + 1)
        for y, z, x in zip(self.params, self.z, self.x):
            grad = y.grad
            if self.weight_decay:
                grad = grad + self.weight_decay * y
            z.sub_(self.lr * grad)
            x.mul_(1 - c).add_(c * z)
            y.copy_(self.beta * z + (1 - self.beta) * x)
        self.k += 1

    def averaged(self):
        return [x.clone() for x in self.x]
