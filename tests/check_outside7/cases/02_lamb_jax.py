"""LAMB for the BERT-small reproduction. Pure functions, state is a tuple of pytrees."""
import jax
import jax.numpy as jnp


def init(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return jnp.zeros((), jnp.int32), zeros, zeros


def update(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-6, weight_decay=0.01):
    count, m, v = state
    count = count + 1
    m = jax.tree.map(lambda a, g: b1 * a + (1 - b1) * g, m, grads)
    v = jax.tree.map(lambda a, g: b2 * a + (1 - b2) * g**2, v, grads)

    def leaf(p, g, m_i, v_i):
        m_hat = m_i / (1 - b1**count)
        v_hat = v_i / (1 - b2**count)
        u = m_hat / (jnp.sqrt(v_hat) + eps) + weight_decay * p
        w_norm = jnp.linalg.norm(p)
        g_norm = jnp.linalg.norm(g)
        trust = jnp.where((w_norm > 0) & (g_norm > 0), w_norm / g_norm, 1.0)
        return p - lr * trust * u

    return jax.tree.map(leaf, params, grads, m, v), (count, m, v)
