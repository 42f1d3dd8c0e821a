from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class LionState(NamedTuple):
    mu: optax.Updates


def lion(learning_rate=1e-4, b1=0.9, b2=0.99, weight_decay=1e-3):
    """Lion as one optax transformation: interpolate, take the sign, step, track."""

    def init_fn(params):
        return LionState(jax.tree.map(jnp.zeros_like, params))

    def update_fn(updates, state, params):
        def direction(g, m, p):
            c = b2 * m + (1.0 - b2) * g
            return -learning_rate * jnp.sign(c + weight_decay * p)

        out = jax.tree.map(direction, updates, state.mu, params)
        mu = jax.tree.map(lambda g, m: b1 * m + (1.0 - b1) * g, updates, state.mu)
        return out, LionState(mu)

    return optax.GradientTransformation(init_fn, update_fn)
