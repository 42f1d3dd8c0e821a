import numpy as np


class Momentum:
    """Momentum SGD (Polyak's heavy ball).

    step() takes dictionaries that map the name of a layer's parameter
    (W1, b1, ...) to its array, and updates the parameters in place.
    """

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr = lr
        self.momentum = momentum
        self.v = None

    def step(self, params, grads):
        if self.v is None:
            self.v = {}
            for key, val in params.items():
                self.v[key] = np.zeros_like(val)

        for key in params.keys():
            self.v[key] = self.momentum * self.v[key] + self.lr * grads[key]
            params[key] -= self.lr * self.v[key]
