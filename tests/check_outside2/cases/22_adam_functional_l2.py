# ruff: noqa  (kept as it was written)
from typing import NamedTuple

import jax.numpy as jnp


class AdamState(NamedTuple):
    t: int
    m: jnp.ndarray
    v: jnp.ndarray


def adam_init(p):
    return AdamState(0, jnp.zeros_like(p), jnp.zeros_like(p))


def adam_update(p, g, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, l2=0.0):
    """Adam with L2 regularisation (not AdamW). Returns (p, state)."""
    t = state.t + 1
    m = b1 * state.m + (1 - b1) * (g + l2 * p)
    v = b2 * state.v + (1 - b2) * g**2
    mhat = m / (1 - b1**t)
    vhat = v / (1 - b2**t)
    return p - lr * mhat / (jnp.sqrt(vhat) + eps), AdamState(t, m, v)
