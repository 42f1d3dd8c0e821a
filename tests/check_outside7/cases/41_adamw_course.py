import math

import torch


class AdamW:
    """AdamW the way the old transformers trainer had it (for loading those configs)."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0, correct_bias=True):
        self.params = list(params)
        self.lr, self.betas, self.eps = lr, betas, eps
        self.weight_decay = weight_decay
        self.correct_bias = correct_bias
        self.steps = 0
        self.avg = [torch.zeros_like(p) for p in self.params]
        self.sq = [torch.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.steps += 1
        b1, b2 = self.betas
        size = self.lr
        if self.correct_bias:
            size = size * math.sqrt(1.0 - b2**self.steps) / (1.0 - b1**self.steps)
        for p, m, v in zip(self.params, self.avg, self.sq):
            m += (1.0 - b1) * (p.grad - m)
            v += (1.0 - b2) * (p.grad.square() - v)
            p -= size * m / (v.sqrt() + self.eps)
            if self.weight_decay > 0.0:
                p -= self.lr * self.weight_decay * p
