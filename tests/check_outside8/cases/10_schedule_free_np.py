import numpy as np


class ScheduleFreeSGD:
    """Schedule-Free SGD (Defazio et al., "The Road Less Scheduled").

    The arrays given to step() are the points y at which gradients are taken;
    averaged() gives the points x for evaluation.
    """

    def __init__(self, lr=1.0, momentum=0.9, weight_decay=0.0):
        self.lr = lr
        self.beta = momentum
        self.weight_decay = weight_decay
        self.k = 0
        self.x = self.z = None

    def step(self, params, grads):
        if self.z is None:
            self.x = [p.copy() for p in params]
            self.z = [p.copy() for p in params]
        c = 1.0 / (self.k + 1)
        for i, (y, g) in enumerate(zip(params, grads)):
            if self.weight_decay:
                g = g + self.weight_decay * y
            self.z[i] = self.z[i] - self.lr * g
            self.x[i] = (1 - c) * self.x[i] + c * self.z[i]
            y[...] = self.beta * self.z[i] + (1 - self.beta) * self.x[i]
        self.k += 1

    def averaged(self):
        return self.x
