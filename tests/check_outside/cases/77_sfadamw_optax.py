# ruff: noqa  (kept as it was written)
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class ScheduleFreeAdamWState(NamedTuple):
    count: Any
    weight_sum: Any
    z: Any
    x: Any
    m: Any
    nu: Any


def schedule_free_adamw(learning_rate=0.0025, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.0):
    def init_fn(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return ScheduleFreeAdamWState(jnp.zeros([], jnp.int32), jnp.zeros([]), params, params, zeros, zeros)

    def update_fn(grads, state, params):
        count = state.count + 1
        weight_sum = state.weight_sum + learning_rate**2
        ck = learning_rate**2 / weight_sum

        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.m, grads)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, state.nu, grads)
        step = jax.tree.map(
            lambda m, v, y: m / (jnp.sqrt(v) + eps) + weight_decay * y,
            m,
            nu,
            params,
        )
        z = jax.tree.map(lambda z, s: z - learning_rate * s, state.z, step)
        x = jax.tree.map(lambda x, z: (1 - ck) * x + ck * z, state.x, z)
        updates = jax.tree.map(lambda x, z, y: b1 * x + (1 - b1) * z - y, x, z, params)
        return updates, ScheduleFreeAdamWState(count, weight_sum, z, x, m, nu)

    return optax.GradientTransformation(init_fn, update_fn)
