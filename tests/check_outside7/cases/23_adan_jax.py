import jax
import jax.numpy as jnp


class Adan:
    """Adaptive Nesterov momentum (Xie et al.), betas as in the released code: 0.98, 0.92, 0.99."""

    def __init__(self, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8):
        self.lr = lr
        self.betas = betas
        self.eps = eps

    def init(self, params):
        z = jax.tree.map(jnp.zeros_like, params)
        return {"t": 0, "m": z, "d": z, "n": z, "prev": None}

    def update(self, params, grads, state):
        b1, b2, b3 = self.betas
        t = state["t"] + 1
        prev = grads if state["prev"] is None else state["prev"]
        diff = jax.tree.map(lambda g, pg: pg - g, grads, prev)
        m = jax.tree.map(lambda a, g: b1 * a + (1 - b1) * g, state["m"], grads)
        d = jax.tree.map(lambda a, dg: b2 * a + (1 - b2) * dg, state["d"], diff)
        n = jax.tree.map(lambda a, g: b3 * a + (1 - b3) * g**2, state["n"], grads)

        def new_p(p, mi, di, ni):
            num = mi / (1 - b1**t) + b2 * di / (1 - b2**t)
            den = jnp.sqrt(ni / (1 - b3**t)) + self.eps
            return p - self.lr * num / den

        params = jax.tree.map(new_p, params, m, d, n)
        return params, {"t": t, "m": m, "d": d, "n": n, "prev": grads}
