# ruff: noqa  (kept as it was written)
import torch as t


class NAdam:
    def __init__(self, params, lr=0.002, betas=(0.9, 0.999), eps=1e-8, momentum_decay=0.004):
        self.params = [p for p in params]
        self.lr = lr
        self.b1, self.b2 = betas
        self.eps = eps
        self.psi = momentum_decay
        self.m = [t.zeros_like(p) for p in self.params]
        self.v = [t.zeros_like(p) for p in self.params]
        self.mu_prod = 1.0
        self.n = 0

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def _mu(self, n):
        return self.b1 * (1 - 0.5 * 0.96 ** (n * self.psi))

    @t.no_grad()
    def step(self):
        self.n += 1
        mu, mu_next = self._mu(self.n), self._mu(self.n + 1)
        self.mu_prod = mu
        for p, m, v in zip(self.params, self.m, self.v):
            g = p.grad
            m.mul_(self.b1).add_(g, alpha=1 - self.b1)
            v.mul_(self.b2).addcmul_(g, g, value=1 - self.b2)
            m_bar = (1 - mu) * g / (1 - self.mu_prod) + mu_next * m / (1 - self.mu_prod * mu_next)
            p -= self.lr * m_bar / (v.sqrt() + self.eps)
