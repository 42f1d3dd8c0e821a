import numpy as np


class AMSGrad:
    """AMSGrad from "On the Convergence of Adam and Beyond" (Reddi et al., 2018),
    as in Algorithm 2 of the paper (no bias correction).
    """

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.slots = {}

    def update(self, params, grads):
        new_params = []
        for k, (p, g) in enumerate(zip(params, grads)):
            m, v = self.slots.get(k, (np.zeros_like(p), np.zeros_like(p)))
            m = self.beta1 * m + (1 - self.beta1) * g
            # second moment must never decrease
            v = np.maximum(v, self.beta2 * v + (1 - self.beta2) * g ** 2)
            self.slots[k] = (m, v)
            new_params.append(p - self.learning_rate * m / (np.sqrt(v) + self.epsilon))
        return new_params
