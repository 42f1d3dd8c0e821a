from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class SumOfSquaresState(NamedTuple):
    sum_of_squares: optax.Params


def scale_by_sum_sq(initial_accumulator_value: float = 0.1, eps: float = 1e-7):
    """Rescale updates by the root of the sum of all squared gradients to date.

    References:
      [Duchi et al, 2011](https://jmlr.org/papers/volume12/duchi11a/duchi11a.pdf)
    """

    def init_fn(params):
        return SumOfSquaresState(
            jax.tree.map(lambda p: jnp.full_like(p, initial_accumulator_value), params))

    def update_fn(updates, state, params=None):
        del params
        inv_root = jax.tree.map(
            lambda s: jnp.where(s > 0, jax.lax.rsqrt(s + eps), 0.0), state.sum_of_squares)
        sum_of_squares = jax.tree.map(
            lambda g, s: s + jnp.square(g), updates, state.sum_of_squares)
        updates = jax.tree.map(jnp.multiply, inv_root, updates)
        return updates, SumOfSquaresState(sum_of_squares)

    return optax.GradientTransformation(init_fn, update_fn)


def adagrad(learning_rate: float = 0.1, initial_accumulator_value: float = 0.1,
            eps: float = 1e-7) -> optax.GradientTransformation:
    return optax.chain(
        scale_by_sum_sq(initial_accumulator_value, eps),
        optax.scale_by_learning_rate(learning_rate),
    )
