# ruff: noqa  (kept as it was written)
import numpy as np


class GradientDescent:
    """w <- w - eta * (dw + lam * w), or + eta * dw when maximising."""

    def __init__(self, eta=0.01, lam=0.0, maximize=False):
        self.eta, self.lam = eta, lam
        self.sign = 1.0 if maximize else -1.0

    def update(self, params, grads):
        shrink = 1.0 - self.eta * self.lam
        # (1 - eta*lam) * w  -/+  eta * dw
        return [np.multiply(shrink, w) + self.sign * self.eta * dw for w, dw in zip(params, grads)]
