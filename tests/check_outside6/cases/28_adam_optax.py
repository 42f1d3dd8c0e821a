from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class AdamState(NamedTuple):
    count: jax.Array
    mu: optax.Updates
    nu: optax.Updates


def _debias(tree, decay, count):
    return jax.tree.map(lambda x: x / (1 - decay**count), tree)


def scale_by_adam(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8):
    def init(params):
        return AdamState(
            count=jnp.zeros([], jnp.int32),
            mu=jax.tree.map(jnp.zeros_like, params),
            nu=jax.tree.map(jnp.zeros_like, params),
        )

    def update(grads, state, params=None):
        del params
        count = state.count + 1
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, grads)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, state.nu, grads)
        mu_hat = _debias(mu, b1, count)
        nu_hat = _debias(nu, b1, count)
        out = jax.tree.map(lambda m, v: m / (jnp.sqrt(v) + eps), mu_hat, nu_hat)
        return out, AdamState(count=count, mu=mu, nu=nu)

    return optax.GradientTransformation(init, update)


def adam(learning_rate: float = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8):
    """Our own Adam so that the trainer does not depend on optax.adam's defaults."""
    return optax.chain(scale_by_adam(b1, b2, eps), optax.scale(-learning_rate))
