import jax
import jax.numpy as jnp


def tree_norm(tree):
    return jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(tree)))


def lamb_init(params):
    return {"m": jax.tree.map(jnp.zeros_like, params),
            "v": jax.tree.map(jnp.zeros_like, params),
            "t": 0}


def lamb_update(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-6, weight_decay=0.01):
    """LAMB for large-batch training (homework 5). Returns params, state."""
    t = state["t"] + 1
    m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state["m"], grads)
    v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, state["v"], grads)

    def adam_direction(p, m, v):
        v_hat = v / (1 - b2**t)
        return m / (jnp.sqrt(v_hat) + eps) + weight_decay * p

    r = jax.tree.map(adam_direction, params, m, v)

    w_norm = tree_norm(params)
    r_norm = tree_norm(r)
    trust = jnp.where((w_norm > 0) & (r_norm > 0), w_norm / r_norm, 1.0)

    params = jax.tree.map(lambda p, r: p - lr * trust * r, params, r)
    return params, {"m": m, "v": v, "t": t}
