import numpy as np


class LionNumpy:
    def __init__(self, lr=3e-4, b1=0.9, b2=0.99, weight_decay=0.0):
        self.lr, self.b1, self.b2, self.wd = lr, b1, b2, weight_decay
        self.m = None

    def step(self, w, g):
        """returns the new w (w itself is not touched)"""
        if self.m is None:
            self.m = np.zeros_like(w)
        diff = self.m - g
        direction = np.sign(g + self.b1 * diff)
        self.m = g + self.b2 * diff
        return w - self.lr * direction - self.lr * self.wd * w
