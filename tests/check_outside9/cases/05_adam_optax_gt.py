from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class MyAdamState(NamedTuple):
    count: jax.Array
    mu: optax.Updates
    nu: optax.Updates


def my_adam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8) -> optax.GradientTransformation:
    """Adam written as one gradient transformation."""

    def init_fn(params):
        return MyAdamState(
            count=jnp.zeros([], jnp.int32),
            mu=jax.tree.map(jnp.zeros_like, params),
            nu=jax.tree.map(jnp.zeros_like, params),
        )

    def update_fn(updates, state, params=None):
        del params
        t = state.count + 1
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, updates)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, state.nu, updates)
        c1 = 1 - b1**t
        c2 = 1 - b2**t
        updates = jax.tree.map(
            lambda m, v: -learning_rate * (m / c1) / (jnp.sqrt(v / c2) + eps), mu, nu
        )
        return updates, state._replace(mu=mu, nu=nu)

    return optax.GradientTransformation(init_fn, update_fn)
