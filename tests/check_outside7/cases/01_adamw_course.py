import torch as t
from torch import Tensor


class AdamW:
    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01):
        """Implements AdamW (Loshchilov & Hutter).

        https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
        """
        self.params = list(params)
        self.lr = lr
        self.b1, self.b2 = betas
        self.eps = eps
        self.lmda = weight_decay
        self.t = 0
        self.ms: list[Tensor] = [t.zeros_like(p) for p in self.params]
        self.vs: list[Tensor] = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.no_grad()
    def step(self):
        self.t += 1
        for idx, p in enumerate(self.params):
            g = p.grad + self.lmda * p
            self.ms[idx] = self.b1 * self.ms[idx] + (1.0 - self.b1) * g
            self.vs[idx] = self.b2 * self.vs[idx] + (1.0 - self.b2) * g**2
            m_hat = self.ms[idx] / (1.0 - self.b1**self.t)
            v_hat = self.vs[idx] / (1.0 - self.b2**self.t)
            p -= self.lr * m_hat / (v_hat.sqrt() + self.eps)

    def __repr__(self):
        return f"AdamW(lr={self.lr}, betas=({self.b1}, {self.b2}), eps={self.eps}, weight_decay={self.lmda})"
