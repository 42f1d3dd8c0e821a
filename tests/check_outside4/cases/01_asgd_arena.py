import torch as t


class ASGD:
    """Averaged SGD (Polyak & Juditsky). ``ax`` holds the averages."""

    def __init__(self, params, lr=0.05, lambd=1e-2, alpha=0.75, t0=10, weight_decay=0.0):
        self.params = list(params)
        self.lr, self.lambd, self.alpha, self.t0 = lr, lambd, alpha, t0
        self.weight_decay = weight_decay
        self.n = 0
        self.eta, self.mu = lr, 1.0
        self.ax = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.no_grad()
    def step(self):
        self.n += 1
        for p, ax in zip(self.params, self.ax):
            g = p.grad + self.weight_decay * p
            p.mul_(1 - self.lambd * self.eta)
            p.sub_(g, alpha=self.eta)
            ax.lerp_(p, self.mu)
        self.eta = self.lr / (1 + self.lambd * self.lr * self.n ** self.alpha)
        self.mu = 1 / max(1, self.n - self.t0)
