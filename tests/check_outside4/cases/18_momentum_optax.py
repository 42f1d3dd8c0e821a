from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class HeavyBallState(NamedTuple):
    velocity: optax.Updates


def heavy_ball(learning_rate: float = 0.05, decay: float = 0.9) -> optax.GradientTransformation:
    """Polyak momentum, the JAX twin of ``torch.optim.SGD(momentum=decay)``."""

    def init_fn(params):
        return HeavyBallState(velocity=jax.tree_util.tree_map(jnp.zeros_like, params))

    def update_fn(updates, state, params=None):
        del params
        velocity = jax.tree_util.tree_map(
            lambda v, g: decay * v + g, state.velocity, updates)
        updates = jax.tree_util.tree_map(lambda v: -learning_rate * v, state.velocity)
        return updates, HeavyBallState(velocity=velocity)

    return optax.GradientTransformation(init_fn, update_fn)
