# ruff: noqa  (kept as it was written)
import jax
import jax.numpy as jnp
import optax


def lion(learning_rate=1e-4, b1=0.9, b2=0.99, weight_decay=1e-3):
    """Lion, single transformation (no chain)."""

    def init_fn(params):
        return {"mu": jax.tree.map(jnp.zeros_like, params)}

    def update_fn(grads, state, params):
        def direction(m, g, p):
            return jnp.sign(b1 * m + (1.0 - b1) * g + weight_decay * p)

        u = jax.tree.map(direction, state["mu"], grads, params)
        mu = jax.tree.map(lambda m, g: b2 * m + (1.0 - b2) * g, state["mu"], grads)
        return jax.tree.map(lambda d: -learning_rate * d, u), {"mu": mu}

    return optax.GradientTransformation(init_fn, update_fn)
