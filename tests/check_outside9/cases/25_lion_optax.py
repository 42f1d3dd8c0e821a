from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class LionState(NamedTuple):
    momentum: optax.Updates


def lion(learning_rate=1e-4, b1=0.9, b2=0.99, weight_decay=1e-3):
    """Lion as an optax GradientTransformation (needs params in update)."""

    def init_fn(params):
        return LionState(momentum=jax.tree.map(jnp.zeros_like, params))

    def update_fn(grads, state, params):
        def direction(g, m, p):
            c = b2 * m + (1 - b2) * g
            return -learning_rate * jnp.sign(c + weight_decay * p)

        updates = jax.tree.map(direction, grads, state.momentum, params)
        momentum = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.momentum, grads)
        return updates, LionState(momentum)

    return optax.GradientTransformation(init_fn, update_fn)
