import numpy as np


class Rprop:
    """Resilient backpropagation (Riedmiller & Braun), full-batch gradients only.

    A weight whose gradient changed its sign rests for one step.
    """

    def __init__(self, lr=0.01, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0)):
        self.lr = lr
        self.etas = etas
        self.step_sizes = step_sizes
        self.prev = None
        self.delta = None

    def step(self, params, grads):
        eta_minus, eta_plus = self.etas
        if self.prev is None:
            self.prev = [np.zeros_like(p) for p in params]
            self.delta = [np.full_like(p, self.lr) for p in params]
        for i, (p, g) in enumerate(zip(params, grads)):
            agree = g * self.prev[i]
            g = np.where(agree < 0, 0.0, g)
            p -= self.delta[i] * np.sign(g)
            factor = np.where(agree > 0, eta_plus, np.where(agree < 0, eta_minus, 1.0))
            self.delta[i] = np.clip(self.delta[i] * factor, *self.step_sizes)
            self.prev[i] = g
