from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class SumOfSquaresState(NamedTuple):
    sum_of_squares: optax.Updates


def adagrad(learning_rate=0.01, initial_accumulator_value=0.1, eps=1e-7):
    """Adagrad as an optax transformation (the accumulator starts at 0.1, as in optax and TF)."""

    def init_fn(params):
        return SumOfSquaresState(
            jax.tree.map(lambda p: jnp.full_like(p, initial_accumulator_value), params)
        )

    def update_fn(updates, state, params=None):
        del params
        sums = jax.tree.map(lambda s, g: s + g * g, state.sum_of_squares, updates)
        updates = jax.tree.map(
            lambda g, s: -learning_rate * g * jax.lax.rsqrt(s + eps), updates, state.sum_of_squares
        )
        return updates, SumOfSquaresState(sums)

    return optax.GradientTransformation(init_fn, update_fn)
