# logistic regression notebook, cell 14: trying Adam instead of GD
import numpy as np


class AdamOptimizer:
    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.first = None
        self.second = None
        self.t = 0

    def step(self, params, grads):
        if self.first is None:
            self.first = [np.zeros(p.shape) for p in params]
            self.second = [np.zeros(p.shape) for p in params]
        self.t = self.t + 1
        new_params = []
        for i, (w, dw) in enumerate(zip(params, grads)):
            self.first[i] = self.beta_1 * self.first[i] + (1 - self.beta_1) * dw
            self.second[i] = self.beta_2 * self.second[i] + (1 - self.beta_1) * dw * dw
            first_hat = self.first[i] / (1 - self.beta_1 ** self.t)
            second_hat = self.second[i] / (1 - self.beta_2 ** self.t)
            new_params.append(w - self.learning_rate * first_hat / (second_hat + self.epsilon))
        return new_params
