import numpy as np


class Adamax(object):
    """
    Adamax (section 7 of the Adam paper).
    The second moment is replaced by the exponentially weighted infinity norm.
    """

    def __init__(self, alpha=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
        self.alpha = alpha
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.reset()

    def reset(self):
        self.t = 0
        self.m, self.u = {}, {}

    def update(self, params, grads):
        self.t += 1
        for k in sorted(params):
            g = grads[k]
            m = self.m.get(k, np.zeros_like(g))
            u = self.u.get(k, np.zeros_like(g))

            m = self.beta1 * m + (1 - self.beta1) * g
            u = np.maximum(self.beta2 * u, np.abs(g))
            self.m[k], self.u[k] = m, u

            # bias-corrected estimates
            m_hat = m / (1 - self.beta1 ** self.t)
            u_hat = u / (1 - self.beta2 ** self.t)
            params[k] -= self.alpha * m_hat / (u_hat + self.eps)
