import jax
import jax.numpy as jnp


class Nadam:
    """Adam with Nesterov momentum, constant momentum coefficient."""

    def __init__(self, lr=0.002, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps = lr, b1, b2, eps

    def init(self, params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return {"m": zeros, "v": zeros, "t": 0}

    def update(self, params, grads, state):
        t = state["t"] + 1
        m = jax.tree.map(lambda a, g: self.b1 * a + (1 - self.b1) * g, state["m"], grads)
        v = jax.tree.map(lambda a, g: self.b2 * a + (1 - self.b2) * g * g, state["v"], grads)

        def leaf(p, g, m, v):
            look_ahead = self.b1 * m / (1 - self.b1 ** (t + 1)) + g / (1 - self.b1**t)
            return p - self.lr * look_ahead / (jnp.sqrt(v) + self.eps)

        return jax.tree.map(leaf, params, grads, m, v), {"m": m, "v": v, "t": t}
