import math

import torch as t


class RAdam:
    def __init__(self, params, lr: float = 0.001, betas=(0.9, 0.999), eps: float = 1e-8):
        """RAdam, bonus exercise after Adam / AdamW."""
        self.params = list(params)
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.eps = eps
        self.rho_inf = 2 / (1 - self.beta2)
        self.n = 0
        self.m = [t.zeros_like(p) for p in self.params]
        self.v = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.no_grad()
    def step(self):
        self.n += 1
        n = self.n
        rho = self.rho_inf - 2 * n * self.beta2**n / (1 - self.beta2**n)
        for i, p in enumerate(self.params):
            g = p.grad
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g * g
            if rho > 5:
                m_hat = self.m[i] / (1 - self.beta1**n)
                r = math.sqrt(
                    (rho - 4) * (rho - 2) * self.rho_inf
                    / ((self.rho_inf - 4) * (self.rho_inf - 2) * rho)
                )
                v_hat = (self.v[i] / (1 - self.beta2**n)).sqrt()
                p -= self.lr * r * m_hat / (v_hat + self.eps)
            else:
                # variance not tractable yet: momentum step
                p -= self.lr * self.m[i]
