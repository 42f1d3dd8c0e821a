"""RAdam, jit-able: the warm-up branch is selected with jnp.where."""
import jax
import jax.numpy as jnp


def radam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Returns (init, update); update(grads, state, params) -> (new_params, new_state)."""
    horizon = 2.0 / (1.0 - b2) - 1.0

    def init(params):
        z = jax.tree.map(jnp.zeros_like, params)
        return (0, z, z)

    def update(grads, state, params):
        t, m, v = state
        t = t + 1
        m = jax.tree.map(lambda a, g: a + (1 - b1) * (g - a), m, grads)
        v = jax.tree.map(lambda a, g: a + (1 - b2) * (g * g - a), v, grads)
        q = b2 ** t
        length = horizon - 2.0 * t * q / (1.0 - q)
        safe = jnp.maximum(length, 5.0)
        gain = jnp.sqrt((safe - 4) / (horizon - 4) * (safe - 2) / (horizon - 2) * horizon / safe)

        def leaf(p, a, s):
            adaptive = gain * jnp.sqrt(1 - q) / (jnp.sqrt(s) + eps)
            return p - learning_rate / (1 - b1 ** t) * a * jnp.where(length > 5.0, adaptive, 1.0)

        return jax.tree.map(leaf, params, m, v), (t, m, v)

    return init, update
