import numpy as np


class SGD:
    """SGD with momentum, the velocity carries the learning rate and the sign."""

    def __init__(self, learning_rate=0.01, momentum=0.9, nesterov=True):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self._vel = {}

    def step(self, params, grads):
        for n, (w, g) in enumerate(zip(params, grads)):
            step = -self.learning_rate * g
            vel = self._vel.get(n, 0.0) * self.momentum + step
            self._vel[n] = vel
            w += (vel * self.momentum + step) if self.nesterov else vel
