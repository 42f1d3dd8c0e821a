import numpy as np


class RAdam:
    """Rectified Adam (Liu et al., 2020). The rectification takes the place of
    a learning rate warmup. Works on one array at a time: x = opt.step(x, g)."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.m = 0.0
        self.v = 0.0
        self.t = 0

        # maximum length of the approximated SMA
        self.rho_inf = 2.0 / (1.0 - beta2)

    def step(self, x, g):
        self.t += 1
        t, b1, b2, rho_inf = self.t, self.beta1, self.beta2, self.rho_inf

        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * g * g
        m_hat = self.m / (1 - b1 ** t)

        # length of the approximated SMA
        rho_t = rho_inf - 2.0 * t * b2 ** t / (1 - b2 ** t)

        if rho_t > 5.0:
            # variance is tractable
            adaptive = np.sqrt(1 - b2 ** t) / (np.sqrt(self.v) + self.eps)
            r_t = np.sqrt(((rho_t - 4) * (rho_t - 2) * rho_inf)
                          / ((rho_inf - 4) * (rho_inf - 2) * rho_t))
            return x - self.lr * r_t * m_hat * adaptive
        # un-adapted momentum
        return x - self.lr * m_hat
