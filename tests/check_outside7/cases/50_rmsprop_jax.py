"""RMSProp with momentum for a small JAX training loop (DQN exercise)."""
import jax
import jax.numpy as jnp


def init(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return {"ms": zeros, "mom": zeros}


def update(params, grads, state, lr=1e-3, decay=0.9, momentum=0.9, eps=1e-8):
    ms = jax.tree.map(lambda s, g: (1 - decay) * s + decay * g**2, state["ms"], grads)
    mom = jax.tree.map(lambda b, g: momentum * b + g, state["mom"], grads)
    params = jax.tree.map(lambda p, b, s: p - lr * b / (jnp.sqrt(s) + eps), params, mom, ms)
    return params, {"ms": ms, "mom": mom}
