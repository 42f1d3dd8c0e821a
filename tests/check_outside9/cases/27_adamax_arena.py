import torch


class Adamax:
    def __init__(self, params, lr=0.002, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(params)
        self.lr = lr
        self.b1, self.b2 = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.count = 0
        self.state = {
            i: {"m": torch.zeros_like(p), "u": torch.zeros_like(p)}
            for i, p in enumerate(self.params)
        }

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.count += 1
        for i, p in enumerate(self.params):
            g = p.grad + self.weight_decay * p
            s = self.state[i]

            s["m"] = self.b1 * s["m"] + (1 - self.b1) * g
            # exponentially weighted infinity norm
            s["u"] = torch.maximum(self.b2 * s["u"], g.abs() + self.eps)

            m_hat = s["m"] / (1 - self.b1**self.count)
            u_hat = s["u"] / (1 - self.b2**self.count)
            p -= self.lr * m_hat / u_hat
