import numpy as np


class AdamW:
    """AdamW with the bias corrections folded into the step size."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=0.004):
        self.learning_rate = learning_rate
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.t = 0
        self.state = []

    def step(self, params, grads):
        if not self.state:
            self.state = [{"m": np.zeros_like(p), "v": np.zeros_like(p)} for p in params]
        self.t += 1
        alpha = self.learning_rate * np.sqrt(1 - self.beta_2 ** self.t) / (1 - self.beta_1 ** self.t)
        out = []
        for p, g, s in zip(params, grads, self.state):
            s["m"] += (g - s["m"]) * (1 - self.beta_1)
            s["v"] += (g * g - s["v"]) * (1 - self.beta_2)
            direction = s["m"] / (np.sqrt(s["v"]) + self.epsilon)
            out.append(p - alpha * (direction + self.weight_decay * p))
        return out
