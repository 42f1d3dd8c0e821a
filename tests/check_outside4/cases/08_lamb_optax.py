from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class LambState(NamedTuple):
    step: jnp.ndarray
    m: Any
    v: Any


def lamb(lr=1e-2, b1=0.9, b2=0.999, eps=1e-6, weight_decay=0.1):
    """Layer-wise adaptive moments (LAMB), one trust ratio per leaf."""

    def init(params):
        zeros = lambda: jax.tree.map(jnp.zeros_like, params)
        return LambState(jnp.zeros((), jnp.int32), zeros(), zeros())

    def update(grads, state, params):
        step = state.step + 1
        m = jax.tree.map(lambda a, g: b1 * a + (1 - b1) * g, state.m, grads)
        v = jax.tree.map(lambda a, g: b2 * a + (1 - b2) * g * g, state.v, grads)

        def leaf(m, v, w):
            u = (m / (1 - b1 ** step)) / (jnp.sqrt(v / (1 - b2 ** step)) + eps)
            w_norm, u_norm = jnp.linalg.norm(w), jnp.linalg.norm(u)
            ratio = jnp.where((w_norm > 0) & (u_norm > 0), w_norm / u_norm, 1.0)
            return -lr * ratio * (u + weight_decay * w)

        return jax.tree.map(leaf, m, v, params), LambState(step, m, v)

    return optax.GradientTransformation(init, update)
