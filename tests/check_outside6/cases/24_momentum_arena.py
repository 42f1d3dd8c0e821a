import torch as t


class HeavyBall:
    """Polyak's two-point momentum: x' = x - lr * g + momentum * (x - x_old). Constant lr."""

    def __init__(self, params, lr=0.01, momentum=0.9):
        self.params = list(params)
        self.lr = lr
        self.momentum = momentum
        self.old = [p.detach().clone() for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.no_grad()
    def step(self):
        for i, p in enumerate(self.params):
            here = p.detach().clone()
            p.copy_((1 + self.momentum) * here - self.momentum * self.old[i] - self.lr * p.grad)
            self.old[i] = here
