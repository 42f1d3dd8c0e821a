"""Own scale_by_adam without the options we never use (eps_root, mu_dtype, nesterov)."""
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class MomentState(NamedTuple):
    count: jax.Array
    mu: Any
    nu: Any


def scale_by_moments(b1, b2, eps):

    def init_fn(params):
        return MomentState(
            count=jnp.zeros([], jnp.int32),
            mu=jax.tree.map(jnp.zeros_like, params),
            nu=jax.tree.map(jnp.zeros_like, params),
        )

    def update_fn(updates, state, params=None):
        del params
        mu = jax.tree.map(lambda g, m: b1 * m + (1 - b1) * g, updates, state.mu)
        nu = jax.tree.map(lambda g, v: b2 * v + (1 - b2) * g ** 2, updates, state.nu)
        # no 0/0 on the very first call
        t = jnp.maximum(state.count, 1)
        c1 = 1 - b1 ** t
        c2 = 1 - b2 ** t
        out = jax.tree.map(lambda m, v: (m / c1) / (jnp.sqrt(v / c2) + eps), mu, nu)
        return out, MomentState(state.count + 1, mu, nu)

    return optax.GradientTransformation(init_fn, update_fn)


def my_adam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    return optax.chain(
        scale_by_moments(b1, b2, eps),
        optax.scale_by_learning_rate(learning_rate),
    )
