# ruff: noqa  (kept as it was written)
import numpy as np


class AdagradOptimizer:
    """Every weight gets its own learning rate."""

    def __init__(self, params, learning_rate=0.01, epsilon=1e-10):
        self.epsilon = epsilon
        self.rates = {name: np.full_like(w, learning_rate) for name, w in params.items()}
        self.grad_squared = {name: np.zeros_like(w) for name, w in params.items()}

    def step(self, params, grads):
        for name, grad in grads.items():
            self.grad_squared[name] += grad * grad
            denom = np.sqrt(self.grad_squared[name]) + self.epsilon
            self.rates[name] = self.rates[name] / denom
            params[name] = params[name] - self.rates[name] * grad
        return params
