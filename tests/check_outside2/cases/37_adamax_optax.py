# ruff: noqa  (kept as it was written)
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class AdamaxState(NamedTuple):
    count: Any
    mu: Any
    nu: Any


def adamax(lr=2e-3, b1=0.9, b2=0.999, eps=1e-8):
    def init(params):
        zeros = lambda: jax.tree_util.tree_map(jnp.zeros_like, params)
        return AdamaxState(jnp.zeros((), jnp.int32), zeros(), zeros())

    def update(grads, state, params=None):
        t = state.count + 1
        mu = jax.tree_util.tree_map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, grads)
        nu = jax.tree_util.tree_map(lambda u, g: jnp.maximum(b2 * u, jnp.abs(g) + eps), state.nu, grads)
        mu_hat = jax.tree_util.tree_map(lambda m: m / (1 - b1**t), mu)
        nu_hat = jax.tree_util.tree_map(lambda u: u / (1 - b2**t), nu)
        updates = jax.tree_util.tree_map(lambda m, u: -lr * m / u, mu_hat, nu_hat)
        return updates, AdamaxState(t, mu, nu)

    return optax.GradientTransformation(init, update)
