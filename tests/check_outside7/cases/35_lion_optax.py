from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class LionState(NamedTuple):
    mu: optax.Updates


def lion(learning_rate=1e-4, b1=0.9, b2=0.99, weight_decay=1e-3):
    def init_fn(params):
        return LionState(mu=jax.tree.map(jnp.zeros_like, params))

    def update_fn(grads, state, params):
        def direction(g, m, p):
            return jnp.sign(b1 * m + (1.0 - b1) * g + weight_decay * p)

        signs = jax.tree.map(direction, grads, state.mu, params)
        mu = jax.tree.map(lambda g, m: b2 * m + (1.0 - b2) * g, grads, state.mu)
        updates = jax.tree.map(lambda s: -learning_rate * s, signs)
        return updates, LionState(mu=mu)

    return optax.GradientTransformation(init_fn, update_fn)
