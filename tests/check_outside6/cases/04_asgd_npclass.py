import numpy as np


class ASGD:
    """Averaged SGD (Polyak & Juditsky), NumPy version of torch.optim.ASGD.

    self.ax holds the running averages.
    """

    def __init__(self, lr=0.01, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0):
        self.lr = lr
        self.lambd = lambd
        self.alpha = alpha
        self.t0 = t0
        self.weight_decay = weight_decay
        self.k = 0
        self.eta = lr
        self.mu = 1.0
        self.ax = None

    def step(self, params, grads):
        if self.ax is None:
            self.ax = [np.zeros_like(p) for p in params]
        self.k += 1
        for p, g, ax in zip(params, grads, self.ax):
            if self.weight_decay:
                g = g + self.weight_decay * p
            p *= 1 - self.lambd * self.eta
            p -= self.eta * g
            ax += self.mu * (p - ax)
        self.eta = self.lr / (1 + (self.lambd * self.lr * self.k) ** self.alpha)
        self.mu = 1 / max(1, self.k - self.t0)
