import numpy as np


def rms(x):
    return np.sqrt(np.mean(np.square(x)))


class Adafactor:
    """Adafactor with relative step sizes and update clipping, no first moment.

    Matrices get factored second moments, vectors the full one.
    """

    def __init__(self, lr=1e-2, decay_rate=0.8, eps=(1e-30, 1e-3), clip_threshold=1.0):
        self.lr = lr
        self.decay_rate = decay_rate
        self.eps1, self.eps2 = eps
        self.d = clip_threshold
        self.t = 0
        self.acc = {}

    def step(self, params, grads):
        self.t += 1
        beta2 = 1.0 - self.t ** (-self.decay_rate)
        rho = min(self.lr, 1.0 / np.sqrt(self.t))
        for i, (p, g) in enumerate(zip(params, grads)):
            sq = g * g + self.eps1
            if p.ndim >= 2:
                r, c = self.acc.get(i, (0.0, 0.0))
                r = beta2 * r + (1 - beta2) * sq.mean(axis=-1)
                c = beta2 * c + (1 - beta2) * sq.mean(axis=-2)
                self.acc[i] = (r, c)
                v = r[..., :, None] * c[..., None, :]
            else:
                v = beta2 * self.acc.get(i, 0.0) + (1 - beta2) * sq
                self.acc[i] = v
            u = g / np.sqrt(v)
            u = u / max(1.0, rms(u) / self.d)
            alpha = max(self.eps2, rms(p)) * rho
            p -= alpha * u
