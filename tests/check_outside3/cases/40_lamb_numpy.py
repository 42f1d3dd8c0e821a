import numpy as np


class LAMB:
    """Layer-wise adaptive Adam for large batches.

    'Layer' means one entry of the params dict here.
    """

    def __init__(self, learning_rate=0.01, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.01):
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.weight_decay = weight_decay
        self.state = {}
        self.t = 0

    def update(self, params, grads):
        self.t += 1
        for name, w in params.items():
            if name not in self.state:
                self.state[name] = [np.zeros_like(w), np.zeros_like(w)]
            m, v = self.state[name]

            # weight decay
            g = grads[name] + self.weight_decay * w

            m = self.beta1 * m + (1 - self.beta1) * g
            v = self.beta2 * v + (1 - self.beta2) * g ** 2
            self.state[name] = [m, v]

            m_hat = m / (1 - self.beta1 ** self.t)
            v_hat = v / (1 - self.beta2 ** self.t)
            r = m_hat / (np.sqrt(v_hat) + self.eps)

            # trust ratio of this layer
            w_norm = np.linalg.norm(w)
            r_norm = np.linalg.norm(r)
            if w_norm > 0 and r_norm > 0:
                trust = r_norm / w_norm
            else:
                trust = 1.0

            params[name] = w - self.learning_rate * trust * r
        return params
