# ruff: noqa  (kept as it was written)
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class SumOfSquares(NamedTuple):
    sum_of_squares: optax.Updates


def adagrad(learning_rate=1e-2, initial_accumulator_value: float = 0.1, eps: float = 1e-7):
    """Adagrad in the optax convention (eps under the root, accumulator starts at 0.1)."""

    def init(params):
        return SumOfSquares(jax.tree.map(lambda p: jnp.full_like(p, initial_accumulator_value), params))

    def update(grads, state, params=None):
        scale = jax.tree.map(lambda s: jax.lax.rsqrt(s + eps), state.sum_of_squares)
        sums = jax.tree.map(lambda s, g: s + jnp.square(g), state.sum_of_squares, grads)
        updates = jax.tree.map(lambda g, r: -learning_rate * g * r, grads, scale)
        return updates, SumOfSquares(sums)

    return optax.GradientTransformation(init, update)
