"""Adam as a pair of pure functions (L2 penalty via `weight_decay`)."""
from typing import NamedTuple

import jax
import jax.numpy as jnp


class State(NamedTuple):
    step: jax.Array
    m: dict
    v: dict


def init(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return State(step=jnp.zeros((), jnp.int32), m=zeros, v=zeros)


def update(params, grads, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """One step; returns (new_params, new_state)."""
    reg = jax.tree.map(lambda g, p: g + weight_decay * p, grads, params)
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, state.m, reg)
    v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * jnp.square(g), state.v, grads)

    # step 0 would divide by zero
    t = jnp.maximum(state.step, 1)
    c1 = 1 - beta1**t
    c2 = 1 - beta2**t

    params = jax.tree.map(
        lambda p, m, v: p - lr * (m / c1) / (jnp.sqrt(v / c2) + eps), params, m, v
    )
    return params, State(step=state.step + 1, m=m, v=v)


class Adam:
    """Thin object wrapper around init/update for the training loop."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
        self.hp = dict(lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay)

    def init(self, params):
        return init(params)

    def update(self, params, grads, state):
        return update(params, grads, state, **self.hp)
