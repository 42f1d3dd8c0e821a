from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class AdagradState(NamedTuple):
    sum_of_squares: optax.Updates


def adagrad(
    learning_rate: float = 0.1,
    initial_accumulator_value: float = 0.1,
    eps: float = 1e-7,
) -> optax.GradientTransformation:
    """Adagrad (Duchi et al., 2011) for the third problem set."""

    def init(params):
        return AdagradState(
            jax.tree.map(lambda p: jnp.full_like(p, initial_accumulator_value), params)
        )

    def update(grads, state, params=None):
        del params
        acc = state.sum_of_squares
        updates = jax.tree.map(
            lambda g, s: -learning_rate * g * jax.lax.rsqrt(s + eps), grads, acc
        )
        acc = jax.tree.map(lambda s, g: s + jnp.square(g), acc, grads)
        return updates, AdagradState(acc)

    return optax.GradientTransformation(init, update)
