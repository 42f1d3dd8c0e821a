from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class SignMomentumState(NamedTuple):
    mu: optax.Updates


def scale_by_sign_momentum(b1: float, b2: float) -> optax.GradientTransformation:

    def init_fn(params):
        return SignMomentumState(mu=jax.tree.map(jnp.zeros_like, params))

    def update_fn(updates, state, params=None):
        del params
        direction = jax.tree.map(
            lambda g, m: jnp.sign(b2 * m + (1.0 - b2) * g), updates, state.mu)
        mu = jax.tree.map(lambda g, m: b1 * m + (1.0 - b1) * g, updates, state.mu)
        return direction, SignMomentumState(mu)

    return optax.GradientTransformation(init_fn, update_fn)


def lion(learning_rate=1e-4, b1=0.9, b2=0.99, weight_decay=1e-3):
    """Lion, discovered by program search (arXiv 2302.06675)."""
    return optax.chain(
        optax.add_decayed_weights(weight_decay),
        scale_by_sign_momentum(b1, b2),
        optax.scale(-learning_rate),
    )
