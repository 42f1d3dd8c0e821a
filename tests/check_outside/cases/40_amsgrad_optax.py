# ruff: noqa  (kept as it was written)
import collections

import jax
import jax.numpy as jnp
import optax

AmsState = collections.namedtuple("AmsState", "count leaves")


def amsgrad(lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """AMSGrad as optax has it: the maximum is taken over the bias-corrected second moment."""

    def init(params):
        zero3 = lambda p: jnp.zeros((3,) + p.shape, p.dtype)
        return AmsState(jnp.zeros((), jnp.int32), jax.tree.map(zero3, params))

    def update(grads, state, params=None):
        n = state.count + 1
        c1, c2 = 1 - b1**n, 1 - b2**n

        def new_leaf(s, g):
            m, v, top = s
            v = v + (1 - b2) * (g * g - v)
            return jnp.stack([m + (1 - b1) * (g - m), v, jnp.where(v > top * c2, v / c2, top)])

        leaves = jax.tree.map(new_leaf, state.leaves, grads)
        out = jax.tree.map(lambda s: -(lr / c1) * s[0] / (eps + jnp.sqrt(s[2])), leaves)
        return out, AmsState(n, leaves)

    return optax.GradientTransformation(init, update)
