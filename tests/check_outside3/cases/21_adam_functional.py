"""Adam as two pure functions; vmap over seeds / populations as you like."""
from typing import NamedTuple

import jax
import jax.numpy as jnp


class AdamState(NamedTuple):
    step: jax.Array
    mu: jax.Array
    nu: jax.Array


def new_state(p):
    # nu only ever enters through a square root, so two bytes per entry will do
    return AdamState(
        step=jnp.zeros((), jnp.int32),
        mu=jnp.zeros_like(p),
        nu=jnp.zeros(p.shape, jnp.float16),
    )


def update(p, g, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Returns (new parameters, new state)."""
    step = state.step + 1
    mu = b1 * state.mu + (1.0 - b1) * g
    nu = (b2 * state.nu.astype(g.dtype) + (1.0 - b2) * g * g).astype(jnp.float16)
    mu_hat = mu / (1.0 - b1 ** step.astype(g.dtype))
    nu_hat = nu.astype(g.dtype) / (1.0 - b2 ** step.astype(g.dtype))
    p = p - lr * mu_hat / (jnp.sqrt(nu_hat) + eps)
    return p, AdamState(step, mu, nu)
