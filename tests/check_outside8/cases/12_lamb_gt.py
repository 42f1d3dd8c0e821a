from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class LambState(NamedTuple):
    n: jnp.ndarray
    moments: tuple


def lamb(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-6, weight_decay=0.0):
    """LAMB in a single transformation."""

    def init_fn(params):
        z = jax.tree.map(jnp.zeros_like, params)
        return LambState(jnp.zeros((), jnp.int32), (z, z))

    def update_fn(updates, state, params):
        n = state.n + 1
        mu, nu = state.moments
        mu = jax.tree.map(lambda m, g: m + (1 - b1) * (g - m), mu, updates)
        nu = jax.tree.map(lambda v, g: v + (1 - b2) * (g ** 2 - v), nu, updates)

        def leaf(m, v, p):
            adam = (m / (1 - b1 ** n)) / (jnp.sqrt(v / (1 - b2 ** n)) + eps)
            r = adam + weight_decay * p
            pn, rn = jnp.linalg.norm(p.ravel()), jnp.linalg.norm(r.ravel())
            ok = (pn > 0) & (rn > 0)
            phi = jnp.where(ok, pn / jnp.where(ok, rn, 1.0), 1.0)
            return -learning_rate * phi * r

        return jax.tree.map(leaf, mu, nu, params), LambState(n, (mu, nu))

    return optax.GradientTransformation(init_fn, update_fn)
