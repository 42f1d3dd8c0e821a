from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class AdamState(NamedTuple):
    count: jnp.ndarray
    mu: Any
    nu: Any


def my_adam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Adam written against the optax interface."""
    tmap = jax.tree_util.tree_map

    def init_fn(params):
        return AdamState(
            count=jnp.zeros([], jnp.int32),
            mu=tmap(jnp.zeros_like, params),
            nu=tmap(jnp.zeros_like, params),
        )

    def update_fn(updates, state, params=None):
        count = state.count + 1
        # moments
        updates = tmap(lambda m, u: b1 * m + (1 - b1) * u, state.mu, updates)
        mu = updates
        nu = tmap(lambda n, u: b2 * n + (1 - b2) * jnp.square(u), state.nu, updates)
        # debias
        updates = tmap(lambda u: u / (1 - b1 ** count), updates)
        scale = tmap(lambda n: jnp.sqrt(n / (1 - b2 ** count)) + eps, nu)
        updates = tmap(lambda u, s: -learning_rate * u / s, updates, scale)
        return updates, AdamState(count=count, mu=mu, nu=nu)

    return optax.GradientTransformation(init_fn, update_fn)
