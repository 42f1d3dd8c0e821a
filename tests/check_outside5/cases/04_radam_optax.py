"""Rectified Adam as an optax transformation (Liu et al., ICLR 2020, Algorithm 2)."""
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class RAdamState(NamedTuple):
    t: Any
    m: Any
    v: Any


def radam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8, threshold=5.0):
    rho_inf = 2.0 / (1.0 - b2) - 1.0

    def init(params):
        zeros = lambda: jax.tree.map(jnp.zeros_like, params)
        return RAdamState(jnp.zeros((), jnp.int32), zeros(), zeros())

    def update(grads, state, params=None):
        t = state.t + 1
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.m, grads)
        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, state.v, grads)
        b2_t = b2 ** t
        rho = rho_inf - 2.0 * t * b2_t / (1.0 - b2_t)
        rect = ((rho - 4.0) * (rho - 2.0) * rho_inf) / (
            (rho_inf - 4.0) * (rho_inf - 2.0) * rho)

        def leaf(m, v):
            m_hat = m / (1.0 - b1 ** t)
            v_hat = v / (1.0 - b2_t)
            adaptive = rect * m_hat / (jnp.sqrt(v_hat) + eps)
            return -learning_rate * jnp.where(rho >= threshold, adaptive, m_hat)

        return jax.tree.map(leaf, m, v), RAdamState(t, m, v)

    return optax.GradientTransformation(init, update)
