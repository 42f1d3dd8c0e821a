import numpy as np


class MomentumSGD:
    """Classical momentum, translated from the Keras source.

    `step` takes lists of arrays and changes the parameters in place.
    """

    def __init__(self, lr: float = 0.01, momentum: float = 0.9):
        self.lr = lr
        self.momentum = momentum
        self._velocity: list[np.ndarray] | None = None

    def step(self, params, grads):
        if self._velocity is None:
            self._velocity = [np.zeros_like(p) for p in params]
        for i in range(len(params)):
            vel = self._velocity[i]
            vel *= self.momentum
            vel -= self.lr * grads[i]
            params[i] += self.lr * vel
