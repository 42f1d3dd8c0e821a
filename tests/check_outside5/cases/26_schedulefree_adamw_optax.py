"""Schedule-free AdamW as one gradient transformation.

The parameters handed to update() are the y sequence (train mode).
"""
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class State(NamedTuple):
    k: Any
    weight_sum: Any
    lr_max: Any
    z: Any
    v: Any


def schedule_free_adamw(learning_rate=0.0025, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.0,
                        warmup_steps=0):

    def init(params):
        zero = jnp.zeros((), jax.tree.leaves(params)[0].dtype)
        return State(jnp.zeros((), jnp.int32), zero, zero, jax.tree.map(jnp.array, params),
                     jax.tree.map(jnp.zeros_like, params))

    def update(grads, state, params):
        k = state.k + 1
        ramp = jnp.minimum(1.0, k * (1.0 / warmup_steps)) if warmup_steps else 1.0
        lr = learning_rate * ramp
        lr_max = jnp.maximum(lr, state.lr_max)
        weight = lr_max ** 2
        weight_sum = state.weight_sum + weight
        c = weight / weight_sum

        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, state.v, grads)
        direction = jax.tree.map(
            lambda g, v, y: g / (jnp.sqrt(v / (1 - b2 ** k)) + eps) + weight_decay * y,
            grads, v, params)
        # y moves without x ever being formed
        delta = jax.tree.map(
            lambda y, z, d: c * (z - y) + lr * (b1 * (1 - c) - 1) * d,
            params, state.z, direction)
        z = jax.tree.map(lambda z, d: z - lr * d, state.z, direction)
        return delta, State(k, weight_sum, lr_max, z, v)

    return optax.GradientTransformation(init, update)
