from typing import NamedTuple, Any

import jax
import jax.numpy as jnp
import optax


class ScaleByNadamState(NamedTuple):
    count: jax.Array
    mu: Any
    nu: Any


def scale_by_nadam(b1=0.9, b2=0.999, eps=1e-8):
    """Adam rescaling with the look-ahead first moment (constant momentum variant)."""

    def init_fn(params):
        return ScaleByNadamState(
            jnp.zeros([], jnp.int32),
            optax.tree.zeros_like(params),
            optax.tree.zeros_like(params),
        )

    def update_fn(updates, state, params=None):
        del params
        mu = optax.tree.update_moment(updates, state.mu, b1, 1)
        nu = optax.tree.update_moment_per_elem_norm(updates, state.nu, b2, 2)
        count = optax.safe_increment(state.count)
        c1 = 1 - b1 ** count.astype(jnp.result_type(float))
        c1_next = 1 - b1 ** (count + 1).astype(jnp.result_type(float))
        c2 = 1 - b2 ** count.astype(jnp.result_type(float))

        mu_hat = jax.tree.map(
            lambda m, g: (1 - b1) * m / c1_next + b1 * g / c1, mu, updates)
        out = jax.tree.map(
            lambda m, v: m / (jnp.sqrt(v) / c2 + eps), mu_hat, nu)
        return out, ScaleByNadamState(count, mu, nu)

    return optax.GradientTransformation(init_fn, update_fn)


def nadam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    return optax.chain(
        scale_by_nadam(b1=b1, b2=b2, eps=eps),
        optax.scale_by_learning_rate(learning_rate),
    )
