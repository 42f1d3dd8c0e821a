from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

tmap = jax.tree.map


class AmsState(NamedTuple):
    count: Any
    mu: Any
    nu: Any
    nu_max: Any


def amsgrad(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8) -> optax.GradientTransformation:
    """AMSGrad: the denominator uses the largest second moment seen so far.

    The maximum is taken over the raw second moment, the debiasing follows (torch order).
    """

    def init_fn(params):
        z = tmap(jnp.zeros_like, params)
        return AmsState(jnp.zeros((), jnp.int32), z, z, z)

    def update_fn(updates, state, params=None):
        n = state.count + 1
        mu = tmap(lambda m, g: b1 * m + (1.0 - b1) * g, state.mu, updates)
        nu = tmap(lambda v, g: b2 * v + (1.0 - b2) * g**2, state.nu, updates)
        nu_max = tmap(lambda vm, v: jnp.maximum(b2 * vm, v), state.nu_max, nu)
        step = tmap(
            lambda m, vm: -learning_rate
            * (m / (1 - b1**n))
            / (jnp.sqrt(vm / (1 - b2**n)) + eps),
            mu,
            nu_max,
        )
        return step, AmsState(n, mu, nu, nu_max)

    return optax.GradientTransformation(init_fn, update_fn)
