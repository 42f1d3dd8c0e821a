from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class NAGState(NamedTuple):
    velocity: Any


def nag(lr=0.01, momentum=0.9):
    """Nesterov momentum after Bengio et al. (2012), "Advances in optimizing
    recurrent networks", eq. 7: the whole step written at the look-ahead point.

    Returns (init, update); update gives back (params, state).
    """

    def init(params):
        return NAGState(jax.tree.map(jnp.zeros_like, params))

    @jax.jit
    def update(params, grads, state):
        velocity = jax.tree.map(lambda v, g: momentum * v - lr * g, state.velocity, grads)
        params = jax.tree.map(
            lambda p, v, g: p + momentum ** 2 * v - (1 + momentum) * lr * g,
            params, velocity, grads)
        return params, NAGState(velocity)

    return init, update
