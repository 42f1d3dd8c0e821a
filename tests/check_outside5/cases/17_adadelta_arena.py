import torch


class Adadelta:
    """Zeiler's Adadelta; `lr` scales the final step as in PyTorch."""

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0):
        self.params = list(params)
        self.lr, self.rho, self.eps, self.wd = lr, rho, eps, weight_decay
        self.v = [torch.zeros_like(p) for p in self.params]
        self.u = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for p, v, u in zip(self.params, self.v, self.u):
            g = p.grad
            if self.wd:
                g = g + self.wd * p
            v.mul_(self.rho).add_((1 - self.rho) * g * g)
            delta = self.lr * (u + self.eps).sqrt() / (v + self.eps).sqrt() * g
            u.mul_(self.rho).add_((1 - self.rho) * delta * delta)
            p.sub_(delta)
