"""LAMB in plain JAX. Parameters are a pytree; one trust ratio per leaf."""
import jax
import jax.numpy as jnp


def lamb(lr=1e-3, b1=0.9, b2=0.999, eps=1e-6, weight_decay=0.0):

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return {"t": 0, "m": zeros, "v": zeros}

    def update(grads, state, params):
        t = state["t"] + 1
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state["m"], grads)
        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g ** 2, state["v"], grads)

        def step(p, g, m, v):
            m_hat = m / (1 - b1 ** t)
            v_hat = v / (1 - b2 ** t)
            r = m_hat / (v_hat + eps) + weight_decay * p
            # layer-wise adaptation
            w_norm = jnp.linalg.norm(p)
            g_norm = jnp.linalg.norm(g)
            ratio = jnp.where((w_norm > 0) & (g_norm > 0), w_norm / g_norm, 1.0)
            return p - lr * ratio * r

        params = jax.tree.map(step, params, grads, m, v)
        return params, {"t": t, "m": m, "v": v}

    return init, update
