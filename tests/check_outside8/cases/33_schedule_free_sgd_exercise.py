import torch


class SGDScheduleFree:
    """Schedule-free SGD with two copies only: the parameters are y, z is kept beside them.

    x is never stored; it can be had from y = (1 - momentum) * z + momentum * x.
    """

    def __init__(self, params, lr=1.0, momentum=0.9, weight_decay=0.0, warmup_steps=0):
        self.params = list(params)
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.warmup_steps = warmup_steps
        self.k = 0
        self.weight_sum = 0.0
        self.lr_max = -1.0
        self.z = [p.detach().clone() for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        sched = (self.k + 1) / self.warmup_steps if self.k < self.warmup_steps else 1.0
        lr = self.lr * sched
        self.lr_max = max(lr, self.lr_max)
        self.weight_sum += self.lr_max ** 2
        ck = self.lr_max ** 2 / self.weight_sum
        for y, z in zip(self.params, self.z):
            g = y.grad + self.weight_decay * y
            y.lerp_(z, ck)
            y.add_(g, alpha=lr * (self.momentum * (1 - ck) - 1))
            z.sub_(g, alpha=lr)
        self.k += 1
