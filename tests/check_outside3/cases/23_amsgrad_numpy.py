import numpy as np


class AMSGrad:
    """Adam that never lets the effective learning rate grow again
    (On the Convergence of Adam and Beyond, ICLR 2018)."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.iterations = 0
        self.ms = None
        self.vs = None

    def apply_gradients(self, weights, grads):
        if self.ms is None:
            self.ms = [np.zeros(w.shape) for w in weights]
            self.vs = [np.zeros(w.shape) for w in weights]
        self.iterations += 1
        c1 = 1 - self.beta_1 ** self.iterations
        c2 = 1 - self.beta_2 ** self.iterations

        out = []
        for i, (w, g) in enumerate(zip(weights, grads)):
            self.ms[i] = self.beta_1 * self.ms[i] + (1 - self.beta_1) * g
            v = self.beta_2 * self.vs[i] + (1 - self.beta_2) * g * g
            # keep the maximum of all v seen so far
            self.vs[i] = np.maximum(self.vs[i], v)
            out.append(w - self.learning_rate * (self.ms[i] / c1)
                       / (np.sqrt(self.vs[i] / c2) + self.epsilon))
        return out
