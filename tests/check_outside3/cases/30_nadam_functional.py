"""Nadam with Dozat's momentum schedule, as pure functions over one array."""
from typing import NamedTuple

import jax
import jax.numpy as jnp


class NadamState(NamedTuple):
    t: jax.Array
    log_prod: jax.Array     # sum of log mu_i, i <= t
    m: jax.Array
    v: jax.Array


def new_state(p):
    return NadamState(jnp.zeros((), p.dtype), jnp.zeros((), p.dtype),
                      jnp.zeros_like(p), jnp.zeros_like(p))


def update(p, g, state, lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, psi=4e-3):
    mu = lambda k: beta1 * (1.0 - 0.5 * 0.96 ** (k * psi))

    t = state.t + 1.0
    mu_t, mu_next = mu(t), mu(t + 1.0)
    log_prod = state.log_prod + jnp.log(mu_t)

    m = state.m + (1.0 - beta1) * (g - state.m)
    v = state.v + (1.0 - beta2) * (g * g - state.v)

    # 1 - prod(mu) without cancellation
    c_t = -jnp.expm1(log_prod)
    c_next = -jnp.expm1(log_prod + jnp.log(mu_next))
    look_ahead = mu_next / c_next * m + (1.0 - mu_t) / c_t * g

    rms = jnp.sqrt(-v / jnp.expm1(t * jnp.log(beta2)))
    return p - lr * look_ahead / (rms + eps), NadamState(t, log_prod, m, v)
