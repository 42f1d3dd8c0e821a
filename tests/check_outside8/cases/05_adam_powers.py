import numpy as np


class AdamTF:
    """Adam with running powers of the betas instead of a step counter."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.beta1_power = beta_1
        self.beta2_power = beta_2
        self.slots = None

    def step(self, params, grads):
        if self.slots is None:
            self.slots = [np.zeros((2,) + np.shape(p)) for p in params]
        lr = self.learning_rate * (1.0 - self.beta2_power) ** 0.5 / (1.0 - self.beta1_power)
        result = []
        for var, grad, mv in zip(params, grads, self.slots):
            mv[0] -= (mv[0] - grad) * (1.0 - self.beta_1)
            mv[1] -= (mv[1] - grad * grad) * (1.0 - self.beta_2)
            result.append(var - lr * mv[0] / (self.epsilon + mv[1] ** 0.5))
        self.beta1_power *= self.beta_1
        self.beta2_power *= self.beta_2
        return result
