"""Centered RMSprop with the running variance updated directly."""
import jax.numpy as jnp


def init_state(p):
    return {"mean": jnp.zeros_like(p), "var": jnp.zeros_like(p), "buf": jnp.zeros_like(p)}


def update(p, g, state, lr=1e-2, alpha=0.99, eps=1e-4, momentum=0.0):
    delta = g - state["mean"]
    mean = state["mean"] + (1 - alpha) * delta
    # West (1979): incremental form, cannot become negative by cancellation
    var = alpha * (state["var"] + (1 - alpha) * delta * delta)
    buf = momentum * state["buf"] + g / (jnp.sqrt(var) + eps)
    return p - lr * buf, {"mean": mean, "var": var, "buf": buf}
