import numpy as np


class NesterovMomentum:
    """Nesterov accelerated gradient in the form of the course notes.

    The stored weights are the look-ahead ones, so that the gradient handed in is
    already taken at the right place:

        x += -mu * v_prev + (1 + mu) * v
    """

    def __init__(self, lr=0.01, mu=0.9):
        self.lr = lr
        self.mu = mu
        self.v = {}

    def update(self, params, grads):
        for key in params:
            if key not in self.v:
                self.v[key] = np.zeros_like(params[key])
            v = self.v[key]
            v_prev = v
            v *= self.mu
            v -= self.lr * grads[key]
            params[key] += -self.mu * v_prev + (1 + self.mu) * v
