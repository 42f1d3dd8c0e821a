# ruff: noqa  (kept as it was written)
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class RAdamState(NamedTuple):
    count: Any
    mu: Any
    nu: Any


def radam(learning_rate: float = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, threshold: float = 5.0):
    ro_inf = 2.0 / (1.0 - b2) - 1.0

    def init_fn(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return RAdamState(jnp.zeros([], jnp.int32), zeros, zeros)

    def update_fn(updates, state, params=None):
        count = state.count + 1
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, updates)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, state.nu, updates)
        b2t = b2**count
        ro = ro_inf - 2 * count * b2t / (1 - b2t)
        mu_hat = jax.tree.map(lambda m: m / (1 - b1**count), mu)
        nu_hat = jax.tree.map(lambda v: v / (1 - b2t), nu)

        r = ((ro - 4.0) * (ro - 2.0) * ro_inf) / ((ro_inf - 4.0) * (ro_inf - 2.0) * ro)
        new = jax.tree.map(
            lambda m, v: -learning_rate * jnp.where(ro >= threshold, r * m / (jnp.sqrt(v) + eps), m),
            mu_hat,
            nu_hat,
        )
        return new, RAdamState(count, mu, nu)

    return optax.GradientTransformation(init_fn, update_fn)
