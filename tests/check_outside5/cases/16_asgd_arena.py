import torch


class ASGD:
    """Averaged SGD after Polyak & Juditsky, parameters as in torch.optim.ASGD.

    The averages are in `self.ax`.
    """

    def __init__(self, params, lr=0.01, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0):
        self.params = list(params)
        self.lr = lr
        self.lambd = lambd
        self.alpha = alpha
        self.t0 = t0
        self.weight_decay = weight_decay
        self.k = 0
        self.eta = lr
        self.mu = 1.0
        self.ax = [p.detach().clone() for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.k += 1
        for p, ax in zip(self.params, self.ax):
            g = p.grad
            if self.weight_decay != 0:
                g = g + self.weight_decay * p
            p.mul_(1 - self.lambd * self.eta)
            p.sub_(self.eta * g)
            ax.add_(self.mu * (p - ax))
        self.eta = self.eta / (1 + self.lambd * self.lr * self.k) ** self.alpha
        self.mu = 1.0 / max(1.0, self.k - self.t0)
