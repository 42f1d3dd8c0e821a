"""NAG, following the 'Parameter updates' section of the course notes."""
import numpy as np


class NAG:
    def __init__(self, learning_rate=1e-2, momentum=0.9):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.v = None

    def update(self, params, grads):
        """params / grads: dicts of arrays, params are modified in place"""
        mu = self.momentum
        if self.v is None:
            self.v = {k: np.zeros_like(w) for k, w in params.items()}

        for k in params:
            v = self.v[k]
            v_prev = v                           # back this up
            v *= mu                              # velocity update stays the same
            v -= self.learning_rate * grads[k]
            params[k] += -mu * v_prev + (1 + mu) * v   # position update changes form
