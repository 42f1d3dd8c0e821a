# ruff: noqa  (kept as it was written)
import numpy as np


class NAG:
    """Nesterov momentum; keeps `mu * buffer`, so that the lookahead is one addition."""

    def __init__(self, step_size=0.01, mu=0.9, l2=0.0):
        self.step_size = step_size
        self.mu = mu
        self.l2 = l2
        self._scaled = None

    def update(self, params, grads):
        if self._scaled is None:
            self._scaled = [np.zeros_like(p) for p in params]
        out = []
        for k, (p, g) in enumerate(zip(params, grads)):
            d = g + self.l2 * p
            self._scaled[k] = self.mu * (self._scaled[k] + d)
            out.append(p - self.step_size * (d + self._scaled[k]))
        return out
