import jax
import jax.numpy as jnp


def _factored(p):
    return p.ndim >= 2


class Adafactor:
    """Adafactor (Shazeer & Stern) with parameter scaling and update clipping."""

    def __init__(self, learning_rate=1e-2, decay_rate=0.8, clipping_threshold=1.0, eps1=1e-30, eps2=1e-3):
        self.learning_rate = learning_rate
        self.decay_rate = decay_rate
        self.clipping_threshold = clipping_threshold
        self.eps1 = eps1
        self.eps2 = eps2

    def init(self, params):
        def one(p):
            if _factored(p):
                return (jnp.zeros(p.shape[:-1], p.dtype), jnp.zeros(p.shape[:-2] + p.shape[-1:], p.dtype))
            return (jnp.zeros_like(p),)

        return {"t": 0, "acc": [one(p) for p in params]}

    def update(self, params, grads, state):
        t = state["t"] + 1
        b2 = 1.0 - t ** (-self.decay_rate)
        new_params, acc = [], []
        for p, g, s in zip(params, grads, state["acc"]):
            g2 = jnp.square(g) + self.eps1
            if _factored(p):
                r = b2 * s[0] + (1 - b2) * g2.mean(-1)
                c = b2 * s[1] + (1 - b2) * g2.mean(-2)
                vhat = r[..., :, None] * c[..., None, :] / r.mean(-1)[..., None, None]
                s = (r, c)
            else:
                vhat = b2 * s[0] + (1 - b2) * g2
                s = (vhat,)
            u = g * jax.lax.rsqrt(vhat)
            u = u / jnp.maximum(1.0, jnp.linalg.norm(u) / self.clipping_threshold)
            scale = jnp.maximum(self.eps2, jnp.sqrt(jnp.mean(p**2)))
            new_params.append(p - self.learning_rate * scale * u)
            acc.append(s)
        return new_params, {"t": t, "acc": acc}
