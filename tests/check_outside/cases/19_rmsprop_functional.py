# ruff: noqa  (kept as it was written)
import jax.numpy as jnp


def init(p):
    return (jnp.zeros_like(p), jnp.zeros_like(p))


def update(p, g, state, lr=1e-2, alpha=0.99, eps=1e-8, centered=True):
    s, mean = state
    w = 1.0 - alpha
    s = s + w * (jnp.square(g) - s)
    if centered:
        mean = mean + w * (g - mean)
        # Var = E[g^2] - E[g]^2 = (sqrt(s) - |mean|)(sqrt(s) + |mean|)
        rt = jnp.sqrt(s)
        var = (rt - jnp.abs(mean)) * (rt + jnp.abs(mean))
    else:
        var = s
    denom = eps + jnp.sqrt(var)
    return p + (-lr * g) / denom, (s, mean)
