import numpy as np


class ScheduleFreeSGD:
    """Schedule-Free SGD (Defazio et al. 2024), constant learning rate.

    The training parameters are y; z is the base sequence, x the average.
    `step` takes the y at which the gradients were taken and returns the next y.
    """

    def __init__(self, lr=1.0, beta=0.9, weight_decay=0.0):
        self.lr = lr
        self.beta = beta
        self.weight_decay = weight_decay
        self.k = 0
        self.z = None
        self.x = None

    def step(self, params, grads):
        if self.z is None:
            self.z = [p.copy() for p in params]
            self.x = [p.copy() for p in params]
        self.k += 1
        c = 1.0 / self.k
        ys = []
        for i, (y, g) in enumerate(zip(params, grads)):
            self.z[i] = self.z[i] - self.lr * (g + self.weight_decay * y)
            self.x[i] = (1 - c) * self.x[i] + c * self.z[i]
            ys.append(self.beta * self.z[i] + (1 - self.beta) * self.x[i])
        return ys

    def eval_params(self):
        return self.x
