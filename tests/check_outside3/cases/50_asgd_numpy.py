import numpy as np


class ASGD:
    """Averaged SGD (Polyak & Juditsky 1992, tricks after Bottou).

    opt.params are the working weights, opt.averages() the ones to evaluate.
    """

    def __init__(self, params, lr=0.01, lambd=1e-4, alpha=0.75, t0=1e6):
        self.params = params
        self.lr = lr
        self.lambd = lambd
        self.alpha = alpha
        self.t0 = t0
        self.t = 0
        self.ax = [p.copy() for p in params]

    def step(self, grads):
        # learning rate of this step
        eta = self.lr / (1 + self.lambd * self.lr * self.t ** self.alpha)
        self.t += 1
        mu = 1.0 / max(1.0, self.t - self.t0)

        for p, g, ax in zip(self.params, grads, self.ax):
            p *= 1 - self.lambd       # decay term
            p -= eta * g
            ax += mu * (p - ax)

    def averages(self):
        return self.ax
