import numpy as np


class PackedMomentum:
    """SGD with momentum; one contiguous buffer holds every velocity.

    The parameters are registered once and changed in place, ``step`` takes
    the list of gradients in the same order.
    """

    def __init__(self, params, lr=0.02, momentum=0.9):
        self.params = list(params)
        self.lr = lr
        self.momentum = momentum

        total = sum(p.size for p in self.params)
        self._velocity = np.zeros(total, dtype=self.params[0].dtype)
        self._views = []
        start = 0
        for p in self.params:
            self._views.append(self._velocity[start:start + p.size].reshape(p.shape))
            start += len(p)

    def step(self, grads):
        for p, g, v in zip(self.params, grads, self._views):
            v *= self.momentum
            v += g
            p -= self.lr * v
