"""Momentum as a gradient transformation."""
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class AccumulatorState(NamedTuple):
    trace: Any


def momentum_trace(decay: float = 0.9, nesterov: bool = True) -> optax.GradientTransformation:
    """Accumulate past updates, optionally with the Nesterov look-ahead.

    Args:
      decay: decay rate of the accumulator.
      nesterov: whether to apply the recursion ahead of time (Sutskever et al.).
    """

    def accumulate(g, t):
        return g + decay * t

    def init_fn(params):
        return AccumulatorState(trace=jax.tree.map(jnp.zeros_like, params))

    def update_fn(updates, state, params=None):
        del params
        new_trace = jax.tree.map(accumulate, updates, state.trace)
        if nesterov:
            updates = jax.tree.map(
                lambda g, t: accumulate(g, accumulate(g, t)), updates, new_trace)
        else:
            updates = new_trace
        return updates, AccumulatorState(trace=new_trace)

    return optax.GradientTransformation(init_fn, update_fn)


def nesterov_sgd(learning_rate: float = 0.01, momentum: float = 0.9,
                 nesterov: bool = True) -> optax.GradientTransformation:
    return optax.chain(momentum_trace(momentum, nesterov), optax.scale(-learning_rate))
