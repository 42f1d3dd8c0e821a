from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class AdamState(NamedTuple):
    step: jnp.ndarray
    mu: Any
    nu: Any


def scratch_adam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Adam as a GradientTransformation, no optax internals used."""

    def init(params):
        zeros = jax.tree_util.tree_map(jnp.zeros_like, params)
        # steps are counted from one as in the paper
        return AdamState(step=jnp.ones([], jnp.int32), mu=zeros, nu=zeros)

    def update(grads, state, params=None):
        del params
        step = state.step + 1
        mu = jax.tree_util.tree_map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, grads)
        nu = jax.tree_util.tree_map(lambda v, g: b2 * v + (1 - b2) * g * g, state.nu, grads)
        bc1 = 1 - b1**step
        bc2 = 1 - b2**step
        updates = jax.tree_util.tree_map(
            lambda m, v: -learning_rate * (m / bc1) / (jnp.sqrt(v / bc2) + eps), mu, nu
        )
        return updates, AdamState(step, mu, nu)

    return optax.GradientTransformation(init, update)
