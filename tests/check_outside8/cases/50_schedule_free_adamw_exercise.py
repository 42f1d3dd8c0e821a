import torch


class ScheduleFreeAdamW:
    """Schedule-free AdamW; the parameters hold y while training.

    Three sequences are kept: z (the base iterate), x (the average) and y between them.
    """

    def __init__(self, params, lr=0.0025, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(params)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.k = 0
        self.z = [p.detach().clone() for p in self.params]
        self.x = [p.detach().clone() for p in self.params]
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.k += 1
        beta1, beta2 = self.betas
        c = 1 / self.k
        for i, y in enumerate(self.params):
            g = y.grad
            self.m[i] = beta1 * self.m[i] + (1 - beta1) * g
            self.v[i] = beta2 * self.v[i] + (1 - beta2) * g * g
            denom = (self.v[i] / (1 - beta2 ** self.k)).sqrt() + self.eps
            direction = self.m[i] / denom + self.weight_decay * y
            self.x[i] = (1 - c) * self.x[i] + c * self.z[i]
            self.z[i] = self.z[i] - self.lr * direction
            y.copy_((1 - beta1) * self.z[i] + beta1 * self.x[i])
