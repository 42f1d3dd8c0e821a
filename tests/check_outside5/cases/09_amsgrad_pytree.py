import jax
import jax.numpy as jnp


def amsgrad(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """AMSGrad as (init, update). The slots of a leaf are
    stacked in one array: m, v, running maximum."""

    def init(params):
        return 0, jax.tree.map(lambda p: jnp.zeros((3,) + p.shape, p.dtype), params)

    @jax.jit
    def leaf(p, g, s, t):
        m = s[0] + (1 - b1) * (g - s[0])
        v = s[1] + (1 - b2) * (g ** 2 - s[1])
        top = jnp.maximum(s[2], v / (1 - b2 ** t))
        step = m / (1 - b1 ** t) / (jnp.sqrt(top) + eps)
        return p - learning_rate * step, jnp.stack([m, v, top])

    def update(params, grads, state):
        t, slots = state
        t = t + 1
        pairs = jax.tree.map(lambda p, g, s: leaf(p, g, s, t), params, grads, slots)
        is_pair = lambda x: isinstance(x, tuple) and len(x) == 2 and hasattr(x[0], "shape")
        new_params = jax.tree.map(lambda x: x[0], pairs, is_leaf=is_pair)
        new_slots = jax.tree.map(lambda x: x[1], pairs, is_leaf=is_pair)
        return new_params, (t, new_slots)

    return init, update
