from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class RMSPropState(NamedTuple):
    square_avg: Any
    buf: Any


def init(params):
    z = lambda: jax.tree.map(jnp.zeros_like, params)
    return RMSPropState(z(), z())


def update(params, grads, state, lr=1e-2, alpha=0.99, eps=1e-8, momentum=0.0):
    """RMSprop with optional momentum. Returns (params, state)."""
    square_avg = jax.tree.map(lambda s, g: alpha * s + (1 - alpha) * g ** 2, state.square_avg, grads)
    buf = jax.tree.map(lambda b, g: momentum * b + g, state.buf, grads)
    params = jax.tree.map(
        lambda p, b, s: p - lr * b / (jnp.sqrt(s) + eps), params, buf, square_avg
    )
    return params, RMSPropState(square_avg, buf)
