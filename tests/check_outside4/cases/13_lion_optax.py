from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class LionState(NamedTuple):
    mu: optax.Params


def lion(learning_rate=3e-4, b1=0.9, b2=0.99, weight_decay=1e-2):
    """Lion with decoupled weight decay for optax pipelines."""

    def init_fn(params):
        return LionState(mu=jax.tree.map(jnp.zeros_like, params))

    def update_fn(grads, state, params):
        def direction(g, m, p):
            return -learning_rate * jnp.sign(b1 * m + (1 - b1) * g + weight_decay * p)

        updates = jax.tree.map(direction, grads, state.mu, params)
        mu = jax.tree.map(lambda g, m: b1 * m + (1 - b1) * g, grads, state.mu)
        return updates, LionState(mu=mu)

    return optax.GradientTransformation(init_fn, update_fn)
