import jax
import jax.numpy as jnp
import optax


def lion_transform(learning_rate=1e-4, b1=0.9, b2=0.99, weight_decay=0.0):
    """Lion. The state is a single tree: the momentum.

    Works on differences d = g - m, which saves one product per leaf:
    m + (1 - b) d is the interpolation between m and g.
    """

    def init(params):
        return optax.tree.zeros_like(params)

    def update(grads, momentum, params=None):
        diff = jax.tree.map(jnp.subtract, grads, momentum)
        signs = jax.tree.map(lambda m, d: jnp.sign(m + (1 - b1) * d), momentum, diff)
        momentum = jax.tree.map(lambda m, d: m + (1 - b2) * d, momentum, diff)
        if weight_decay:
            signs = jax.tree.map(lambda s, p: s + weight_decay * p, signs, params)
        return jax.tree.map(lambda s: -learning_rate * s, signs), momentum

    return optax.GradientTransformation(init, update)
