import numpy as np


class TFAdam:
    """Adam in the efficient order of computation (end of section 2 of the
    paper): no corrected moments are formed, the learning rate carries both
    corrections.  Running powers of the betas instead of a step counter."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.beta1_power = 1.0
        self.beta2_power = 1.0
        self.slots = {}

    def step(self, params, grads):
        self.beta1_power *= self.beta1
        self.beta2_power *= self.beta2
        lr_t = self.lr * np.sqrt(1.0 - self.beta2_power) / (1.0 - self.beta1_power)

        for i, (var, grad) in enumerate(zip(params, grads)):
            if i not in self.slots:
                self.slots[i] = (np.zeros_like(var), np.zeros_like(var))
            m, v = self.slots[i]
            m += (grad - m) * (1.0 - self.beta1)
            v += (np.square(grad) - v) * (1.0 - self.beta2)
            var -= lr_t * m / (np.sqrt(v) + self.epsilon)
