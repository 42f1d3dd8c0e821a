import torch as t


class Nadam:
    """Nesterov-accelerated Adam (bonus exercise).

    The schedule mu_k depends on the step only, so it is worked out once per
    step for all parameters.
    """

    def __init__(self, params, lr=0.002, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=0.004):
        self.params = list(params)
        self.lr = lr
        self.beta1, self.beta2 = betas
        self.eps = eps
        self.lmda = weight_decay
        self.psi = momentum_decay
        self.k = 0
        self.decay_left = 1.0
        self.m = [t.zeros_like(p) for p in self.params]
        self.v = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def _mu(self, k):
        return self.beta1 * (1 - 0.96 ** (k * self.psi) / 2)

    @t.no_grad()
    def step(self):
        self.k += 1
        mu, mu_next = self._mu(self.k), self._mu(self.k + 1)
        self.decay_left *= mu
        on_grad = (1 - mu) / (1 - self.decay_left)
        on_mean = mu_next / (1 - self.decay_left * mu_next)
        for p, m, v in zip(self.params, self.m, self.v):
            g = p.grad + self.lmda * p
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g * g - v)
            root = (v / (1 - self.beta2**self.k)).sqrt() + self.eps
            p -= self.lr * (on_grad * g + on_mean * m) / root
