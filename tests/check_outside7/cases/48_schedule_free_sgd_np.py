import numpy as np


class ScheduleFreeSGD:
    """Schedule-free SGD (Defazio et al., 2024).

    `params` hold the point y where gradients are taken; z is the base SGD iterate and
    x the running average. Call eval_params() for the weights to test with.
    """

    def __init__(self, lr=1.0, beta=0.9):
        self.lr = lr
        self.beta = beta
        self.k = 0

    def step(self, params, grads):
        if self.k == 0:
            self.z = [p.copy() for p in params]
            self.x = [p.copy() for p in params]
        self.k += 1
        c = 1.0 / self.k
        for i, g in enumerate(grads):
            self.z[i] = self.z[i] - self.lr * g
            self.x[i] = (1 - c) * self.x[i] + c * self.z[i]
            params[i][...] = (1 - self.beta) * self.x[i] + self.beta * self.z[i]
        return params

    def eval_params(self):
        return self.x
