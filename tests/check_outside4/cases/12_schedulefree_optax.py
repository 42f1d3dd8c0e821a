from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class State(NamedTuple):
    k: jnp.ndarray
    z: Any


def schedule_free_sgd(learning_rate=0.1, beta=0.9):
    """Schedule-Free SGD storing z only; params are the y sequence.

    y moves towards z by c and along the gradient by lr*(beta*(1-c) - 1).
    """

    def init(params):
        return State(jnp.zeros((), jnp.int32), params)

    def update(grads, state, params):
        k = state.k + 1
        c = 1.0 / k
        updates = jax.tree.map(
            lambda y, z, g: c * (z - y) + learning_rate * (beta * (1 - c) - 1) * g,
            params, state.z, grads)
        z = jax.tree.map(lambda z, g: z - learning_rate * g, state.z, grads)
        return updates, State(k, z)

    return optax.GradientTransformation(init, update)
