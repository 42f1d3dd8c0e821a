"""HW2: momentum in JAX.

    state = momentum_init(params)
    params, state = momentum_update(params, grads, state, lr, momentum)
"""
import jax
import jax.numpy as jnp


def momentum_init(params):
    return {"velocity": jax.tree_util.tree_map(jnp.zeros_like, params)}


def momentum_update(params, grads, state, learning_rate=0.01, momentum=0.9):
    """One step of gradient descent with momentum."""
    velocity = state["velocity"]
    new_params = jax.tree_util.tree_map(
        lambda p, v: p - learning_rate * v, params, velocity
    )
    new_velocity = jax.tree_util.tree_map(
        lambda v, g: momentum * v + g, velocity, grads
    )
    return new_params, {"velocity": new_velocity}
