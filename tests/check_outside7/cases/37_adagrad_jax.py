import jax
import jax.numpy as jnp


def adagrad(learning_rate=0.01, initial_accumulator_value=0.1, eps=1e-7):
    """Returns (init, update) in the style of the jax example optimizers."""

    def init(params):
        return jax.tree.map(lambda p: jnp.full_like(p, initial_accumulator_value), params)

    def update(params, grads, acc):
        acc = jax.tree.map(lambda a, g: a + jnp.square(g), acc, grads)
        params = jax.tree.map(
            lambda p, g, a: p - learning_rate * g * jnp.where(a > 0, jax.lax.rsqrt(a + eps), 0.0),
            params, grads, acc,
        )
        return params, acc

    return init, update
