import numpy as np


class Rprop:
    """Resilient backpropagation (full batch!). Only the sign of the gradient matters."""

    def __init__(self, lr=0.01, eta_minus=0.5, eta_plus=1.2, delta_min=1e-6, delta_max=50.0):
        self.lr = lr              # initial step size
        self.eta_minus = eta_minus
        self.eta_plus = eta_plus
        self.delta_min = delta_min
        self.delta_max = delta_max
        self.delta = None
        self.prev_grads = None

    def step(self, params, grads):
        """params: list of arrays (in place), grads: list of arrays"""
        if self.delta is None:
            self.delta = [np.full_like(p, self.lr) for p in params]
            self.prev_grads = [np.zeros_like(p) for p in params]

        for i, (p, g) in enumerate(zip(params, grads)):
            agreement = g * self.prev_grads[i]
            factor = np.where(agreement > 0, self.eta_plus, self.eta_minus)
            self.delta[i] = np.clip(self.delta[i] * factor, self.delta_min, self.delta_max)

            # no step where the sign flipped
            g = np.where(agreement < 0, 0.0, g)
            p -= np.sign(g) * self.delta[i]
            self.prev_grads[i] = g
