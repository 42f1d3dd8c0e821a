import numpy as np


class SGD:
    """Stochastic gradient descent with PyTorch's options.

    Parameters
    ----------
    lr : float
    momentum : float
    dampening : float
    weight_decay : float
        L2 penalty
    nesterov : bool
    """

    def __init__(self, lr=0.01, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
        self.lr = lr
        self.momentum = momentum
        self.dampening = dampening
        self.weight_decay = weight_decay
        self.nesterov = nesterov
        self._buf = {}

    def _direction(self, key, g):
        if not self.momentum:
            return g
        if key in self._buf:
            b = self.momentum * (1 - self.dampening) * self._buf[key] + g
        else:
            b = np.array(g, copy=True)
        self._buf[key] = b
        return g + self.momentum * b if self.nesterov else b

    def step(self, params, grads):
        new = []
        for key, (p, g) in enumerate(zip(params, grads)):
            if self.weight_decay:
                g = g + self.weight_decay * p
            new.append(p - self.lr * self._direction(key, g))
        return new
