# ruff: noqa  (kept as it was written)
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class LambState(NamedTuple):
    count: Any
    mu: Any
    nu: Any


def lamb(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-6, weight_decay=0.0):
    def init_fn(params):
        z = jax.tree.map(jnp.zeros_like, params)
        return LambState(jnp.zeros([], jnp.int32), z, z)

    def update_fn(grads, state, params):
        count = state.count + 1
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, grads)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, state.nu, grads)

        def layer(m, v, p):
            m_hat = m / (1 - b1**count)
            u = m_hat / (jnp.sqrt(v) + eps) + weight_decay * p
            p_norm = jnp.sqrt(jnp.sum(p**2))
            u_norm = jnp.sum(u**2)
            trust = jnp.where((p_norm == 0) | (u_norm == 0), 1.0, p_norm / u_norm)
            return -learning_rate * trust * u

        return jax.tree.map(layer, mu, nu, params), LambState(count, mu, nu)

    return optax.GradientTransformation(init_fn, update_fn)
