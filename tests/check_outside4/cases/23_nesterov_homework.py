import numpy as np

# Assignment 4, exercise 2b: Nesterov's accelerated gradient in the "change of
# variables" form of the lecture notes:
#
#     v_prev = v
#     v      = mu * v - lr * g
#     w      = w - mu * v_prev + (1 + mu) * v


class NAG:
    def __init__(self, lr=0.01, mu=0.9):
        self.lr = lr
        self.mu = mu
        self.v = None

    def step(self, params, grads):
        """Updates the arrays in ``params`` in place."""
        if self.v is None:
            self.v = [np.zeros_like(w) for w in params]

        for w, g, v in zip(params, grads, self.v):
            v_prev = v
            v *= self.mu
            v -= self.lr * g
            w += -self.mu * v_prev + (1 + self.mu) * v
