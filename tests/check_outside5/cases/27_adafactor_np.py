import numpy as np


class Adafactor:
    """Adafactor without momentum (Shazeer & Stern 2018, Algorithm 4 and 5).

    lr is an upper bound on the relative step size rho_t = min(lr, 1/sqrt(t)).
    """

    def __init__(self, lr=1e-2, beta2_decay=0.8, eps1=1e-30, eps2=1e-3, clip_threshold=1.0):
        self.lr = lr
        self.beta2_decay = beta2_decay
        self.eps1, self.eps2 = eps1, eps2
        self.clip_threshold = clip_threshold
        self.t = 0
        self.rows, self.cols, self.full = {}, {}, {}

    def step(self, params, grads):
        self.t += 1
        rho = min(self.lr, 1.0 / np.sqrt(self.t))
        b2 = 1.0 - self.t ** (-self.beta2_decay)
        for i, (w, g) in enumerate(zip(params, grads)):
            sq = g * g + self.eps1
            if w.ndim >= 2:
                r = b2 * self.rows.get(i, 0.0) + (1 - b2) * sq.mean(axis=-1)
                c = b2 * self.cols.get(i, 0.0) + (1 - b2) * sq.mean(axis=-2)
                self.rows[i], self.cols[i] = r, c
                v = (r / r.mean(axis=-1, keepdims=True))[..., :, None] * c[..., None, :]
            else:
                v = b2 * self.full.get(i, 0.0) + (1 - b2) * sq
                self.full[i] = v
            u = g / np.sqrt(v)
            # update clipping
            u = u / max(1.0, np.sqrt(np.sum(u ** 2)) / self.clip_threshold)
            alpha = max(self.eps2, np.sqrt(np.mean(w ** 2))) * rho
            w -= alpha * u
