import numpy as np


class AdaGrad:
    """AdaGrad; the accumulator is kept as a root so that squares of very
    small or very large gradients neither underflow nor overflow."""

    def __init__(self, lr=0.1, eps=1e-10):
        self.lr = lr
        self.eps = eps
        self.h = None

    def update(self, params, grads):
        if self.h is None:
            self.h = {key: np.zeros_like(val) for key, val in params.items()}
        for key in params:
            self.h[key] = np.hypot(self.h[key], grads[key])
            params[key] -= self.lr * grads[key] / (self.h[key] + self.eps)
