import jax
import jax.numpy as jnp
import optax


def amsgrad(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-7):
    """AMSGrad with the Keras update (step size carries both corrections), as an optax transform."""

    def init(params):
        def zeros():
            return jax.tree.map(jnp.zeros_like, params)

        return (jnp.ones(()), jnp.ones(()), zeros(), zeros(), zeros())

    def update(grads, state, params=None):
        p1, p2, m, v, peak = state
        p1, p2 = p1 * b1, p2 * b2
        m = jax.tree.map(lambda a, g: a + (g - a) * (1 - b1), m, grads)
        v = jax.tree.map(lambda a, g: a + (g * g - a) * (1 - b2), v, grads)
        peak = jax.tree.map(jnp.maximum, peak, v)
        alpha = learning_rate * jnp.sqrt(1 - p2) / (1 - p1)
        updates = jax.tree.map(lambda a, q: -alpha * a / (jnp.sqrt(q) + eps), m, peak)
        return updates, (p1, p2, m, v, peak)

    return optax.GradientTransformation(init, update)
