import math

import numpy as np


class FlatAdam:
    """Adam over all parameters at once.

    The arrays are copied into one long vector; ``step`` takes the list of
    gradients and writes the result back into the arrays.
    """

    def __init__(self, params, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.params = params
        self.lr, self.eps = lr, eps
        self.log_b = (math.log(beta1), math.log(beta2))
        self.a = (1 - beta1, 1 - beta2)
        self.cuts = np.cumsum([p.size for p in params])[:-1]
        self.theta = np.concatenate([p.ravel() for p in params])
        self.moments = np.zeros((2, self.theta.size), dtype=self.theta.dtype)
        self.t = 0

    def step(self, grads):
        self.t += 1
        g = np.concatenate([x.ravel() for x in grads])
        self.moments[0] -= self.a[0] * (self.moments[0] - g)
        self.moments[1] -= self.a[1] * (self.moments[1] - g * g)

        # -expm1(t log b) = 1 - b^t ; log of the folded step size
        l1, l2 = (math.log(-math.expm1(self.t * lb)) for lb in self.log_b)
        rate = self.lr * math.exp(0.5 * l2 - l1)
        denom = np.sqrt(self.moments[1])
        denom += self.eps * math.exp(0.5 * l2)
        self.theta -= rate * self.moments[0] / denom

        for p, chunk in zip(self.params, np.split(self.theta, self.cuts)):
            p[...] = chunk.reshape(p.shape)
