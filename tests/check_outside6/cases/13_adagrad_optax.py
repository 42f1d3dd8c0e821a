import jax
import jax.numpy as jnp
import optax


def adagrad(learning_rate: float = 1e-2, initial_accumulator_value: float = 0.1, eps: float = 1e-7):
    """Adagrad whose state is just the tree of summed squares."""

    def init(params):
        return jax.tree.map(lambda p: jnp.full_like(p, initial_accumulator_value), params)

    def update(grads, sum_of_squares, params=None):
        del params
        updates = jax.tree.map(
            lambda g, s: -learning_rate * g * jax.lax.rsqrt(s + eps), grads, sum_of_squares
        )
        sum_of_squares = jax.tree.map(lambda s, g: s + jnp.square(g), sum_of_squares, grads)
        return updates, sum_of_squares

    return optax.GradientTransformation(init, update)
