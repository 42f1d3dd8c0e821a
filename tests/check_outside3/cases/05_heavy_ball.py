# Heavy ball (Polyak, 1964), exercise 4b.
import numpy as np


class HeavyBall:
    def __init__(self, step_size=0.01, beta=0.9):
        self.step_size = step_size
        self.beta = beta
        self.x_prev = None

    def update(self, x, grad):
        """x_{k+1} = x_k - a * grad + b * (x_k - x_{k-1});  returns x_{k+1}"""
        if self.x_prev is None:
            self.x_prev = np.array(x, copy=True)
        x_new = x - self.step_size * grad + self.beta * (x - self.x_prev)
        self.x_prev = np.array(x, copy=True)
        return x_new
