import numpy as np


class RProp:
    """Resilient backpropagation for full-batch training.

    ``params`` and ``grads`` are dicts of arrays; returns the new dict.
    """

    def __init__(self, delta0=0.01, eta_minus=0.5, eta_plus=1.2, delta_min=1e-6, delta_max=50.0):
        self.delta0 = delta0
        self.eta_minus, self.eta_plus = eta_minus, eta_plus
        self.delta_min, self.delta_max = delta_min, delta_max
        self.delta, self.last = {}, {}

    def step(self, params, grads):
        new = {}
        for k, w in params.items():
            g = grads[k]
            if k not in self.delta:
                self.delta[k] = np.full_like(w, self.delta0)
                self.last[k] = np.zeros_like(w)
            same = g * self.last[k]
            factor = np.where(same > 0, self.eta_plus, self.eta_minus)
            self.delta[k] = np.clip(self.delta[k] * factor, self.delta_min, self.delta_max)
            # after a sign change the weight stays put for one iteration
            g = np.where(same < 0, 0.0, g)
            new[k] = w - np.sign(g) * self.delta[k]
            self.last[k] = g
        return new
