import torch


class Adagrad:
    """Adagrad with PyTorch's lr_decay."""

    def __init__(self, params, lr=0.01, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
        self.params = list(params)
        self.lr = lr
        self.lr_decay = lr_decay
        self.weight_decay = weight_decay
        self.eps = eps
        self.sums = [torch.full_like(p, initial_accumulator_value) for p in self.params]
        self.steps = 0

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        # learning rate of this step
        self.lr = self.lr / (1 + self.steps * self.lr_decay)
        self.steps += 1
        for p, s in zip(self.params, self.sums):
            g = p.grad
            if self.weight_decay:
                g = g + self.weight_decay * p
            s += g * g
            p -= self.lr * g / (s.sqrt() + self.eps)
