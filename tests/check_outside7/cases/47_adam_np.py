import numpy as np


class Adam:
    """Adam for the two-layer net of assignment 2.

    params and grads are dicts ("W1", "b1", "W2", "b2"), same keys in both.
    """

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.iter = 0
        self.m = None
        self.v = None

    def update(self, params, grads):
        if self.m is None:
            self.m, self.v = {}, {}
            for key, val in params.items():
                self.m[key] = np.zeros_like(val)
                self.v[key] = np.zeros_like(val)

        self.iter += 1
        for key in params.keys():
            self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * grads[key]
            self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * grads[key] ** 2
            # bias correction
            self.m[key] = self.m[key] / (1 - self.beta1 ** self.iter)
            self.v[key] = self.v[key] / (1 - self.beta2 ** self.iter)
            params[key] -= self.lr * self.m[key] / (np.sqrt(self.v[key]) + self.eps)
