import numpy as np


class AdamWOptimizer:
    """AdamW for numpynet layers (Loshchilov & Hutter, 2019).

    params: dict name -> array, updated in place.
    """

    def __init__(self, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8,
                 weight_decay=1e-2):
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.iter = 0
        self.exp_avg = {}
        self.exp_avg_sq = {}

    def update(self, params, grads):
        self.iter += 1
        c1 = 1.0 - self.beta1 ** self.iter
        c2 = 1.0 - self.beta2 ** self.iter
        for name, w in params.items():
            g = grads[name]
            m = self.exp_avg.get(name, 0.0)
            v = self.exp_avg_sq.get(name, 0.0)
            m = self.beta1 * m + (1.0 - self.beta1) * g
            v = self.beta2 * v + (1.0 - self.beta2) * np.square(g)
            self.exp_avg[name], self.exp_avg_sq[name] = m, v

            direction = m / c1 + self.weight_decay * w
            w -= self.learning_rate * direction / (np.sqrt(v / c2) + self.epsilon)
