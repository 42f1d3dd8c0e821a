# ruff: noqa  (kept as it was written)
import torch as t


class RAdam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params = list(params)
        self.lr, self.betas, self.eps = lr, betas, eps
        self.k = 0
        self.moments = [t.zeros(2, *p.shape, dtype=p.dtype) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def coefficients(self):
        b1, b2 = self.betas
        c1, c2 = 1 - b1**self.k, 1 - b2**self.k
        n_inf = (1 + b2) / (1 - b2)
        n = n_inf - 2 * self.k * (1 - c2) / c2
        if n <= 5:
            return self.lr / c1, False
        # c2 under the same root as the variance rectification
        rect2 = c2 * (n - 4) / (n_inf - 4) * (n - 2) / (n_inf - 2) * n_inf / n
        return self.lr / c1 * rect2**0.5, True

    @t.inference_mode()
    def step(self):
        self.k += 1
        a, adaptive = self.coefficients()
        b1, b2 = self.betas
        for p, mv in zip(self.params, self.moments):
            mv[0].lerp_(p.grad, 1 - b1)
            mv[1].lerp_(p.grad.square(), 1 - b2)
            p.sub_(a * mv[0] / (mv[1].sqrt() + self.eps) if adaptive else a * mv[0])
