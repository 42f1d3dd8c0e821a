"""AdamW for training loops that call ``tx.update(grads, state)`` without params."""
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class DecoupledState(NamedTuple):
    count: jax.Array
    mu: Any
    nu: Any
    params: Any


def decoupled_adamw(
    learning_rate: float = 1e-3,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-4,
) -> optax.GradientTransformation:

    def init(params):
        return DecoupledState(
            count=jnp.zeros([], jnp.int32),
            mu=jax.tree.map(jnp.zeros_like, params),
            nu=jax.tree.map(jnp.zeros_like, params),
            params=params,
        )

    def update(grads, state, params=None):
        del params  # the copy in the state is used
        count = state.count + 1
        mu = jax.tree.map(lambda g, m: (1 - b1) * g + b1 * m, grads, state.mu)
        nu = jax.tree.map(lambda g, v: (1 - b2) * g**2 + b2 * v, grads, state.nu)

        def leaf(m, v, p):
            m_hat = m / (1 - jnp.asarray(b1, m.dtype) ** count)
            v_hat = v / (1 - jnp.asarray(b2, v.dtype) ** count)
            return -learning_rate * (m_hat / (jnp.sqrt(v_hat) + eps) + weight_decay * p)

        updates = jax.tree.map(leaf, mu, nu, state.params)
        return updates, state._replace(count=count, mu=mu, nu=nu)

    return optax.GradientTransformation(init, update)
