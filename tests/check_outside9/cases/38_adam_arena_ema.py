import torch as t


class AdamFromScratch:
    """Adam, section 2 of the optimization exercises."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params = list(params)
        self.lr, self.betas, self.eps = lr, betas, eps
        self.n = 0
        self.first = [t.zeros_like(p) for p in self.params]
        self.second = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        b1, b2 = self.betas
        self.n += 1
        with t.no_grad():
            for p, m, v in zip(self.params, self.first, self.second):
                g = p.grad
                m *= b1
                m += (1 - b1) * g
                v *= b1
                v += (1 - b2) * g * g
                v_hat = v / (1 - b2 ** self.n)
                p -= self.lr * m / (v_hat.sqrt() + self.eps)
