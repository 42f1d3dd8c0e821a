import torch


class Adadelta:
    """No learning rate needed (well, lr=1 by default)."""

    def __init__(self, params, rho=0.9, eps=1e-5, lr=1.0):
        self.params = list(params)
        self.rho, self.eps, self.lr = rho, eps, lr
        # s: average of squared gradients, delta: average of squared updates
        self.states = [(torch.zeros_like(p), torch.zeros_like(p)) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        rho, eps = self.rho, self.eps
        with torch.no_grad():
            for p, (s, delta) in zip(self.params, self.states):
                # In-place updates via [:]
                s[:] = rho * s + (1 - rho) * torch.square(p.grad)
                g = (torch.sqrt(delta + eps) / torch.sqrt(s + eps)) * p.grad
                p[:] -= self.lr * g
                delta[:] = (1 - rho) * delta + rho * g * g
