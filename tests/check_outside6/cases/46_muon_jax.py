import jax.numpy as jnp


def _quintic(s, steps):
    for _ in range(steps):
        s2 = s * s
        s = s * (3.4445 + s2 * (-4.7750 + s2 * 2.0315))
    return s


class SpectralMuon:
    """Muon with the Newton-Schulz polynomial applied to the singular values.

    Matrix products are cheap on our sizes, but the SVD lets us log the spectrum.
    """

    def __init__(self, lr=0.02, momentum=0.95, nesterov=True, ns_steps=5, eps=1e-7, weight_decay=0.0):
        self.lr, self.momentum, self.nesterov = lr, momentum, nesterov
        self.ns_steps, self.eps, self.weight_decay = ns_steps, eps, weight_decay

    def init(self, params):
        return [jnp.zeros_like(p) for p in params]

    def update(self, params, grads, bufs):
        mu = self.momentum
        out, new_bufs = [], []
        for p, g, b in zip(params, grads, bufs):
            b = mu * b + (1 - mu) * g
            d = mu * b + (1 - mu) * g if self.nesterov else b
            u, s, vt = jnp.linalg.svd(d, full_matrices=False)
            s = s / (jnp.linalg.norm(s) + self.eps)
            o = (u * _quintic(s, self.ns_steps)) @ vt
            rows, cols = p.shape
            scale = max(1.0, rows / cols) ** 0.5
            out.append(p * (1 - self.lr * self.weight_decay) - self.lr * scale * o)
            new_bufs.append(b)
        return out, new_bufs
