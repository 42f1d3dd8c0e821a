# ruff: noqa  (kept as it was written)
from typing import NamedTuple

import jax.numpy as jnp


class SFState(NamedTuple):
    t: int
    z: jnp.ndarray
    x: jnp.ndarray
    v: jnp.ndarray


def init(y):
    return SFState(1, y, y, jnp.zeros_like(y))


def update(y, g, state, lr=0.0025, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """Schedule-free AdamW with a constant learning rate; y is where the gradient is taken."""
    t, z, x, v = state
    v = beta2 * v + (1 - beta2) * g * g
    d = g / (jnp.sqrt(v / (1 - beta2**t)) + eps) + weight_decay * y
    z = z - lr * d
    c = 1.0 / (t + 1)
    x = (1 - c) * x + c * z
    y = (1 - beta1) * z + beta1 * x
    return y, SFState(t + 1, z, x, v)
