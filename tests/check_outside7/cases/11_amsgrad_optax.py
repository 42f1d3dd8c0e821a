import collections

import jax
import jax.numpy as jnp
import optax

_State = collections.namedtuple("_State", "t m v vmax")


def amsgrad(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """AMSGrad; one fused function per leaf."""

    def init(params):
        z = jax.tree.map(jnp.zeros_like, params)
        return _State(jnp.zeros((), jnp.int32), z, z, z)

    def update(grads, state, params=None):
        t = state.t + 1

        def leaf(g, m, v, top):
            m = m - (1 - b1) * (m - g)
            v = v - (1 - b2) * (v - g * g)
            top = jnp.maximum(top, v / (1 - b2**t))
            return -learning_rate * m / (1 - b1**t) / (jnp.sqrt(top) + eps), m, v, top

        flat, tree = jax.tree.flatten(grads)
        rows = [leaf(*a) for a in zip(flat, *(tree.flatten_up_to(s) for s in state[1:]))]
        out, m, v, top = (tree.unflatten(col) for col in zip(*rows))
        return out, _State(t, m, v, top)

    return optax.GradientTransformation(init, update)
