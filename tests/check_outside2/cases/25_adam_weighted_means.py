# ruff: noqa  (kept as it was written)
import numpy as np


class Adam:
    """Adam kept as weighted sums of past gradients.

    num1 / den1 is the weighted mean of g, num2 / den2 that of g*g, with
    weights beta ** age, so that no separate bias correction is needed.
    """

    def __init__(self, stepsize=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.stepsize, self.beta1, self.beta2, self.eps = stepsize, beta1, beta2, eps
        self.num1 = self.num2 = None
        self.den1 = self.den2 = 0.0

    def step(self, params, grads):
        if self.num1 is None:
            self.num1 = [0.0 * p for p in params]
            self.num2 = [0.0 * p for p in params]
        self.den1 = 1.0 + self.beta1 * self.den1
        self.den2 = 1.0 + self.beta2 * self.den2
        new = []
        for i, (p, g) in enumerate(zip(params, grads)):
            self.num1[i] = g + self.beta1 * self.num1[i]
            self.num2[i] = g * g + self.beta2 * self.num2[i]
            mean = self.num1[i] / self.den1
            rms = np.sqrt(self.num2[i] / self.den2)
            new.append(p - self.stepsize * mean / (rms + self.eps))
        return new
