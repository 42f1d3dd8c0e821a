import numpy as np


class NesterovMomentum:
    """Nesterov's accelerated gradient in the change-of-variables form (see the CS231n notes)."""

    def __init__(self, learning_rate=1e-2, momentum=0.9):
        self.learning_rate = learning_rate
        self.mu = momentum
        self.v = {}

    def update(self, params, grads):
        for key, x in params.items():
            if key not in self.v:
                self.v[key] = np.zeros_like(x)
            v = self.v[key]
            v_prev = v
            v *= self.mu
            v -= self.learning_rate * grads[key]
            x += -self.mu * v_prev + (1 + self.mu) * v
        return params
