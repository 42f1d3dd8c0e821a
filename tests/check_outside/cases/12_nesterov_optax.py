# ruff: noqa  (kept as it was written)
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class TraceState(NamedTuple):
    trace: optax.Updates


def nesterov_sgd(learning_rate: float, momentum: float = 0.9) -> optax.GradientTransformation:
    def init_fn(params):
        return TraceState(trace=jax.tree.map(jnp.zeros_like, params))

    def update_fn(updates, state, params=None):
        del params
        f = lambda g, tr: g + momentum * tr
        new_trace = jax.tree.map(f, updates, state.trace)
        look_ahead = jax.tree.map(f, updates, state.trace)
        updates = jax.tree.map(lambda u: -learning_rate * u, look_ahead)
        return updates, TraceState(trace=new_trace)

    return optax.GradientTransformation(init_fn, update_fn)
