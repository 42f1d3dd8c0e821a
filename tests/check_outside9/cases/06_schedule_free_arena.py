import torch as t


class ScheduleFreeSGD:
    """Schedule-free SGD. The parameters are at y while training; z is in the
    state, and the average x is recovered from the two whenever needed.

    warmup_steps: linear warm-up; the average weighs each z with lr_max^2.
    """

    def __init__(self, params, lr=1.0, momentum=0.9, weight_decay=0.0, warmup_steps=0):
        assert 0 < momentum < 1
        self.params = list(params)
        self.lr, self.beta = lr, momentum
        self.weight_decay = weight_decay
        self.warmup_steps = warmup_steps
        self.k = 0
        self.lr_max = 0.0
        self.weight_sum = 0.0
        self.z = [p.detach().clone() for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def average(self, i):
        return (self.params[i] - (1 - self.beta) * self.z[i]) / self.beta

    @t.no_grad()
    def step(self):
        self.k += 1
        lr = self.lr * min(1.0, self.k / self.warmup_steps) if self.warmup_steps else self.lr
        self.lr_max = max(lr, self.lr_max)
        weight = self.lr_max**2
        self.weight_sum += weight
        c = weight / self.weight_sum if self.weight_sum else 0.0

        for i, y in enumerate(self.params):
            g = y.grad + self.weight_decay * y
            x = self.average(i)
            self.z[i] = self.z[i] - lr * g
            x = t.lerp(x, self.z[i], c)
            y.copy_(t.lerp(self.z[i], x, self.beta))
