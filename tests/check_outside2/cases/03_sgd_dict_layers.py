# ruff: noqa  (kept as it was written)
import numpy as np


class GradientDescent:
    """Updates params['W1'], params['b1'], ... in place.

    loss = data_loss + reg/2 * sum(w ** 2)
    """

    def __init__(self, learning_rate=0.01, reg=0.0):
        self.learning_rate = learning_rate
        self.reg = reg

    def update(self, params, grads):
        for key in params:
            params[key] -= self.learning_rate * grads[key]
            if self.reg > 0:
                params[key] -= self.learning_rate * self.reg * params[key]
        return params
