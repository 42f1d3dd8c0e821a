import numpy as np


class NAG:
    """Nesterov accelerated gradient.

    Only the shifted variable (the look-ahead point, at which the network
    is evaluated) is stored, hence the step back and the longer step
    forward.  update() gives back the list of new parameters.
    """

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum
        self._vel = []

    def update(self, params, grads):
        mu = self.momentum
        if not self._vel:
            self._vel = [0.0 * p for p in params]

        out = []
        for k, (p, g) in enumerate(zip(params, grads)):
            base = p - mu * self._vel[k]          # undo the look-ahead
            self._vel[k] = mu * self._vel[k] - self.lr * g
            base = base + self._vel[k]
            out.append(base + mu * self._vel[k])  # and look ahead again
        return out
