import numpy as np


class Momentum:
    """momentum update for my MNIST from scratch project"""

    def __init__(self, lr=0.01, momentum=0.9, weight_decay=0.0):
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.v = None

    def update(self, params, grads):
        if self.v is None:
            self.v = dict()
            for k in params:
                self.v[k] = np.zeros_like(params[k])

        for k in params:
            # gradient of loss + regularizer
            g = grads[k] - self.weight_decay * params[k]
            self.v[k] = self.momentum * self.v[k] + self.lr * g
            params[k] = params[k] - self.lr * self.v[k]
