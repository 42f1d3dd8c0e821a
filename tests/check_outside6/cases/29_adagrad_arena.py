import torch as t


class Adagrad:
    """Adagrad with the options of torch.optim.Adagrad."""

    def __init__(self, params, lr=0.01, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
        self.params = list(params)
        self.lr = lr
        self.lr_decay = lr_decay
        self.lmda = weight_decay
        self.eps = eps
        self.steps = 0
        self.sums = [t.full_like(p, initial_accumulator_value) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self):
        self.steps += 1
        lr = self.lr / (1 + self.steps * self.lr_decay)
        for p, s in zip(self.params, self.sums):
            g = p.grad + self.lmda * p
            s += g * g
            p -= lr * g / (s.sqrt() + self.eps)
