import dataclasses
from functools import partial

import jax
import jax.numpy as jnp


@partial(jax.tree_util.register_dataclass, data_fields=["k", "m", "u"], meta_fields=[])
@dataclasses.dataclass
class AdamaxState:
    k: jax.Array
    m: jax.Array
    u: jax.Array


def new_state(p: jax.Array) -> AdamaxState:
    return AdamaxState(k=jnp.asarray(0), m=jnp.zeros_like(p), u=jnp.zeros_like(p))


def update(p, g, state: AdamaxState, step_size=2e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Adamax.  Everything is elementwise so it can run on flattened parameters."""
    k = state.k + 1
    m = b1 * state.m + (1 - b2) * g
    u = jnp.maximum(b1 * state.u, jnp.abs(g))
    debias = 1 - jnp.asarray(b1, p.dtype) ** k
    p = p - (step_size / debias) * m / (u + eps)
    return p, AdamaxState(k=k, m=m, u=u)
