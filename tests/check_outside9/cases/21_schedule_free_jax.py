"""Schedule-free SGD (Defazio et al., 2024), project 3.

The params that go in and come out are the points y where the gradient is
taken.
"""
import jax
import jax.numpy as jnp


def schedule_free_init(params):
    return {"x": params, "z": params, "t": 0}


def schedule_free_sgd(params, grads, state, lr=1.0, beta=0.9, weight_decay=0.0):
    t = state["t"] + 1
    c = 1.0 / t

    if weight_decay:
        grads = jax.tree.map(lambda g, y: g + weight_decay * y, grads, params)

    z = jax.tree.map(lambda z, g: z - lr * g, state["z"], grads)
    x = jax.tree.map(lambda x, z: (1 - c) * x + c * z, state["x"], z)
    y = jax.tree.map(lambda x, z: (1 - beta) * x + beta * z, x, z)
    return y, {"x": x, "z": z, "t": t}
