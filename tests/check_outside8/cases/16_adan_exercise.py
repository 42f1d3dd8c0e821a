import torch


class Adan:
    """Adaptive Nesterov momentum (Xie et al. 2022).

    betas as in the official code, i.e. (0.98, 0.92, 0.99) are the decay rates of
    the gradient, the gradient difference and the second moment.
    """

    def __init__(self, params, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0):
        self.params = list(params)
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.t = 0
        self.m = [torch.zeros_like(p) for p in self.params]
        self.d = [torch.zeros_like(p) for p in self.params]
        self.n = [torch.zeros_like(p) for p in self.params]
        self.prev = [None] * len(self.params)

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        b1, b2, b3 = self.betas
        c1, c2, c3 = (1 - b ** self.t for b in self.betas)
        for i, p in enumerate(self.params):
            g = p.grad.clone()
            diff = torch.zeros_like(g) if self.prev[i] is None else g - self.prev[i]
            self.m[i].lerp_(g, 1 - b1)
            self.d[i].lerp_(diff, 1 - b2)
            nest = g + (1 - b2) * diff
            self.n[i].mul_(b3).addcmul_(nest, nest, value=1 - b3)
            denom = (self.n[i] / c3).sqrt() + self.eps
            p -= self.lr * (self.m[i] / c1 + b2 * self.d[i] / c2) / denom
            p /= 1 + self.lr * self.weight_decay
            self.prev[i] = g
