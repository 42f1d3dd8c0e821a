import torch as t


class Lion:
    """Evolved sign momentum (Chen et al. 2023), bonus exercise."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        self.params = list(params)
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.wd = weight_decay
        self.exp_avgs = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.no_grad()
    def step(self):
        for p, exp_avg in zip(self.params, self.exp_avgs):
            # stepweight decay
            p.mul_(1 - self.lr * self.wd)
            # weight update, then the momentum
            exp_avg_new = self.beta2 * exp_avg + (1 - self.beta2) * p.grad
            p.sub_(self.lr * t.sign(exp_avg_new))
            exp_avg.copy_(exp_avg_new)
