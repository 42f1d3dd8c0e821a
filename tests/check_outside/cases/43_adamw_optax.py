# ruff: noqa  (kept as it was written)
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

tmap = jax.tree_util.tree_map


class State(NamedTuple):
    step: jnp.ndarray
    m: Any
    v: Any


def make_adamw(
    lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, wd: float = 1e-4
) -> optax.GradientTransformation:

    def init(params):
        return State(jnp.zeros((), jnp.int32), tmap(jnp.zeros_like, params), tmap(jnp.zeros_like, params))

    def update(grads, state, params):
        step = state.step + 1
        m = tmap(lambda m, g: beta1 * m + (1 - beta1) * g, state.m, grads)
        v = tmap(lambda v, g: beta2 * v + (1 - beta2) * g**2, state.v, grads)

        def delta(m, v, p):
            direction = (m / (1 - beta1**step)) / (jnp.sqrt(v / (1 - beta2**step)) + eps)
            return -lr * (direction - wd * p)

        return tmap(delta, m, v, params), State(step, m, v)

    return optax.GradientTransformation(init, update)
