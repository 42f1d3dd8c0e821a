# ruff: noqa  (kept as it was written)
import jax.numpy as jnp


def adam_init(p):
    return {"m": jnp.zeros_like(p), "v": jnp.zeros_like(p), "t": 0}


def adam_update(p, g, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    t = state["t"] + 1
    m = b1 * state["m"] + (1 - b1) * g
    v = b2 * state["v"] + (1 - b2) * m**2
    mhat = m / (1 - b1**t)
    vhat = v / (1 - b2**t)
    p = p - lr * mhat / (jnp.sqrt(vhat) + eps)
    return p, {"m": m, "v": v, "t": t}
