import jax
import jax.numpy as jnp


def momentum_init(params):
    return jax.tree.map(jnp.zeros_like, params)


def momentum_update(params, grads, velocity, lr=0.01, momentum=0.9):
    """Heavy ball. Returns (new params, new velocity)."""
    params = jax.tree.map(lambda p, v: p - lr * v, params, velocity)
    velocity = jax.tree.map(lambda v, g: momentum * v + g, velocity, grads)
    return params, velocity


class Momentum:
    """Thin object around the two functions, so that the trainer can hold one thing."""

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr = lr
        self.momentum = momentum

    def init(self, params):
        return momentum_init(params)

    def update(self, params, grads, state):
        return momentum_update(params, grads, state, self.lr, self.momentum)
