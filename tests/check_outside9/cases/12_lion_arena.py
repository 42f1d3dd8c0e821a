import torch


class Lion:
    """EvoLved Sign Momentum (Chen et al., 2023)."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        self.params = list(params)
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.weight_decay = weight_decay
        self.exp_avg = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.inference_mode()
    def step(self):
        for p, m in zip(self.params, self.exp_avg):
            g = p.grad
            p.mul_(1 - self.lr * self.weight_decay)
            m.mul_(self.beta2).add_(g, alpha=1 - self.beta2)
            update = m * self.beta1 + g * (1 - self.beta1)
            p.sub_(self.lr * update.sign())
