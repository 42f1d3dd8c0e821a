"""Adan in JAX; hyperparameters follow the official PyTorch code."""
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class AdanState(NamedTuple):
    step: int
    exp_avg: Any
    exp_avg_diff: Any
    exp_avg_sq: Any
    pre_grad: Any


def init(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return AdanState(0, zeros, zeros, zeros, None)


def update(params, grads, state, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0):
    """Returns (new_params, new_state)."""
    b1, b2, b3 = betas
    if state.step == 0:
        state = state._replace(pre_grad=grads)  # no difference at the first step
    state = state._replace(step=state.step + 1, pre_grad=grads)
    bc1, bc2, bc3 = (1 - b ** state.step for b in betas)

    diff = jax.tree.map(lambda g, h: g - h, grads, state.pre_grad)
    m = jax.tree.map(lambda a, g: b1 * a + (1 - b1) * g, state.exp_avg, grads)
    d = jax.tree.map(lambda a, x: b2 * a + (1 - b2) * x, state.exp_avg_diff, diff)
    n = jax.tree.map(
        lambda a, g, x: b3 * a + (1 - b3) * jnp.square(g + b2 * x), state.exp_avg_sq, grads, diff
    )

    def new_value(p, m, d, n):
        denom = jnp.sqrt(n) / bc3 + eps
        p = p - lr * (m / bc1 + b2 * d / bc2) / denom
        return p / (1 + lr * weight_decay)

    params = jax.tree.map(new_value, params, m, d, n)
    return params, state._replace(exp_avg=m, exp_avg_diff=d, exp_avg_sq=n)
