# ruff: noqa  (kept as it was written)
import numpy as np


class ScheduleFreeSGD:
    """params hold the gradient points y; `averages()` gives the x to evaluate with."""

    def __init__(self, lr=1.0, beta=0.9, wd=0.0):
        self.lr, self.beta, self.wd = lr, beta, wd
        self.t = 0
        self.z = self.x = None

    def averages(self):
        return [x.copy() for x in self.x]

    def step(self, params, grads):
        if self.t == 0:
            self.z = [p.copy() for p in params]
            self.x = [p.copy() for p in params]
        self.t += 1
        c = 1.0 / self.t
        for i, (y, g) in enumerate(zip(params, grads)):
            g = g + self.wd * y
            self.x[i] = (1 - c) * self.x[i] + c * self.z[i]
            self.z[i] = self.z[i] - self.lr * g
            y[...] = (1 - self.beta) * self.z[i] + self.beta * self.x[i]
