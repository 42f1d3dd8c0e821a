import numpy as np


class FlatLAMB:
    """LAMB working on one contiguous buffer, to avoid the python loop over tensors."""

    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        self.lr = lr
        self.b1, self.b2 = betas
        self.eps = eps
        self.wd = weight_decay
        self.t = 0
        self.m = 0.0
        self.v = 0.0

    def step(self, params, grads):
        shapes = [p.shape for p in params]
        cuts = np.cumsum([p.size for p in params])[:-1]
        w = np.concatenate([p.reshape(-1) for p in params])
        g = np.concatenate([x.reshape(-1) for x in grads])

        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = self.b2 * self.v + (1 - self.b2) * g * g
        m_hat = self.m / (1 - self.b1**self.t)
        v_hat = self.v / (1 - self.b2**self.t)
        r = m_hat / (np.sqrt(v_hat) + self.eps) + self.wd * w

        w_norm = np.linalg.norm(w)
        r_norm = np.linalg.norm(r)
        trust = w_norm / r_norm if w_norm > 0 and r_norm > 0 else 1.0
        w = w - self.lr * trust * r

        return [x.reshape(s) for x, s in zip(np.split(w, cuts), shapes)]
