import torch


class MyAdamW:
    """Minimal AdamW; everything in plain tensors, no param groups."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        self.params = [p for p in params]
        self.lr, self.betas, self.eps, self.wd = lr, betas, eps, weight_decay
        self.state = {id(p): dict(n=0, m=0.0, v=0.0) for p in self.params}

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        b1, b2 = self.betas
        with torch.no_grad():
            for p in self.params:
                if p.grad is None:
                    continue
                s = self.state[id(p)]
                s["n"] += 1
                s["m"] = b1 * s["m"] + (1 - b1) * p.grad
                s["v"] = b2 * s["v"] + (1 - b2) * p.grad ** 2
                m = s["m"] / (1 - b2 ** s["n"])
                v = s["v"] / (1 - b2 ** s["n"])
                delta = m / (v.sqrt() + self.eps) + self.lr * self.wd * p
                p -= self.lr * delta
