import numpy as np


class AdaGrad(object):
    """
    Adaptive learning rates: every weight is divided by the history of its own squared gradients.
    """

    def __init__(self, lr=0.01, eps=1e-8):
        self.lr = lr
        self.eps = eps
        self.history = None

    def step(self, params, grads):
        if self.history is None:
            self.history = [np.zeros_like(p) for p in params]
        for i in range(len(params)):
            self.history[i] += grads[i] * grads[i]
            params[i] = params[i] - self.lr * grads[i] / (self.history[i] + self.eps)
        return params
