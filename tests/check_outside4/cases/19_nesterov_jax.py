"""Nesterov momentum as pure functions (state in, state out)."""
import jax.numpy as jnp


def init_state(p):
    return {"v": jnp.zeros_like(p)}


def update(p, g, state, lr=0.02, mu=0.9, weight_decay=0.0):
    g = g + weight_decay * p
    v = mu * state["v"] + g
    # apply the look-ahead direction rather than v itself
    direction = g + v
    return p - lr * direction, {"v": v}
