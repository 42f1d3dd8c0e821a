import numpy as np


class NesterovMomentum:
    """Nesterov accelerated gradient in the form of the course notes:

        v_prev = v
        v = mu * v - lr * dx
        x += -mu * v_prev + (1 + mu) * v
    """

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr = lr
        self.momentum = momentum
        self.v = None

    def step(self, params, grads):
        if self.v is None:
            self.v = [np.zeros_like(x) for x in params]
        mu = self.momentum
        for x, dx, v in zip(params, grads, self.v):
            v_prev = v
            v *= mu
            v -= self.lr * dx
            x += -mu * v_prev + (1 + mu) * v
