# ruff: noqa  (kept as it was written)
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class ScaleByAdamState(NamedTuple):
    count: jax.Array
    mu: optax.Updates
    nu: optax.Updates


def _ema(values, moments, decay, order):
    return jax.tree.map(lambda x, m: (1 - decay) * x**order + decay * m, values, moments)


def adam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8) -> optax.GradientTransformation:
    def init_fn(params):
        return ScaleByAdamState(
            count=jnp.zeros([], jnp.int32),
            mu=jax.tree.map(jnp.zeros_like, params),
            nu=jax.tree.map(jnp.zeros_like, params),
        )

    def update_fn(updates, state, params=None):
        del params
        count = state.count + 1
        mu = _ema(updates, state.mu, b1, 1)
        nu = _ema(mu, state.nu, b2, 2)
        c1 = 1 - b1**count
        c2 = 1 - b2**count
        updates = jax.tree.map(lambda m, v: -learning_rate * (m / c1) / (jnp.sqrt(v / c2) + eps), mu, nu)
        return updates, ScaleByAdamState(count, mu, nu)

    return optax.GradientTransformation(init_fn, update_fn)
