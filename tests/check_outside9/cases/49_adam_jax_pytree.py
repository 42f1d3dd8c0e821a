from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class AdamState(NamedTuple):
    t: jnp.ndarray
    mu: Any
    nu: Any


def init_adam(params):
    zeros = lambda: jax.tree.map(jnp.zeros_like, params)
    return AdamState(t=jnp.zeros((), dtype=jnp.int32), mu=zeros(), nu=zeros())


def adam_step(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Adam (Kingma & Ba, 2015). Returns (params, state)."""
    t = state.t + 1
    mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, grads)
    nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * jnp.square(g), state.nu, grads)

    mu_hat = jax.tree.map(lambda m: m / (1 - b1**t), mu)
    nu_hat = jax.tree.map(lambda v: v / (1 - b1**t), nu)

    params = jax.tree.map(
        lambda p, m, v: p - lr * m / (jnp.sqrt(v) + eps), params, mu_hat, nu_hat
    )
    return params, AdamState(t, mu, nu)
