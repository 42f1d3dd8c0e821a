"""Adan (Xie et al. 2022) for jax arrays, betas as in the authors' code."""
from typing import NamedTuple

import jax.numpy as jnp


class AdanState(NamedTuple):
    k: int
    m: jnp.ndarray
    v: jnp.ndarray
    n: jnp.ndarray
    prev: jnp.ndarray


def init_state(p):
    z = jnp.zeros_like(p)
    return AdanState(0, z, z, z, z)


def update(p, g, state, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0):
    b1, b2, b3 = betas
    k = state.k + 1
    diff = g - state.prev if k > 1 else jnp.zeros_like(g)

    m = b1 * state.m + (1 - b1) * g
    v = b2 * state.v + (1 - b2) * diff
    n = b3 * state.n + (1 - b3) * jnp.square(g + (1 - b2) * diff)

    m_hat = m / (1 - b1 ** k)
    v_hat = v / (1 - b2 ** k)
    n_hat = n / (1 - b3 ** k)
    p = (p - lr * (m_hat + b2 * v_hat) / (jnp.sqrt(n_hat) + eps)) / (1 + lr * weight_decay)
    return p, AdanState(k, m, v, n, g)
