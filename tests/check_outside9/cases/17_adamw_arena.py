import torch
from torch import nn


class AdamW:
    def __init__(self, params: list[nn.Parameter], lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        self.params = list(params)
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.eps = eps
        self.lmda = weight_decay
        self.t = 0
        self.gms = [torch.zeros_like(p) for p in self.params]
        self.gsms = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        for i, p in enumerate(self.params):
            g = p.grad
            self.gms[i] = self.beta1 * self.gms[i] + (1 - self.beta1) * g
            self.gsms[i] = self.beta2 * self.gsms[i] + (1 - self.beta2) * g**2
            m_hat = self.gms[i] / (1 - self.beta1**self.t)
            denom = self.gsms[i].sqrt() / (1 - self.beta2**self.t) + self.eps
            update = m_hat / denom
            if self.lmda != 0:
                update = update + self.lr * self.lmda * p
            p -= self.lr * update
