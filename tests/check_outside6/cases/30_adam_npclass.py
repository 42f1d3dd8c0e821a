import numpy as np


class RunningAdam:
    """Adam that stores the debiased averages themselves.

    If mh is the debiased mean after t-1 gradients, then after t gradients it is
    mh + (g - mh) * (1 - b1) / (1 - b1**t); the same holds for the squares.
    """

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.pow1 = self.pow2 = 1.0
        self.mean = self.square = None

    def step(self, params, grads):
        if self.mean is None:
            self.mean = [np.zeros_like(p) for p in params]
            self.square = [np.zeros_like(p) for p in params]
        self.pow1 *= self.beta1
        self.pow2 *= self.beta2
        gain1 = (1 - self.beta1) / (1 - self.pow1)
        gain2 = (1 - self.beta2) / (1 - self.pow2)
        for p, g, a, s in zip(params, grads, self.mean, self.square):
            a += gain1 * (g - a)
            s += gain2 * (g * g - s)
            p -= self.lr * a / (np.sqrt(s) + self.eps)
