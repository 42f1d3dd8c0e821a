import jax
import jax.numpy as jnp


def adamw_init(params):
    return (
        jax.tree.map(jnp.zeros_like, params),
        jax.tree.map(jnp.zeros_like, params),
        0,
    )


def adamw_update(params, grads, opt_state, lr=3e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1):
    """AdamW as used for the small GPT of project 2."""
    m, v, t = opt_state
    b1, b2 = betas
    t = t + 1

    m = jax.tree.map(lambda m, g: b1 * m + (1.0 - b1) * g, m, grads)
    v = jax.tree.map(lambda v, g: b2 * v + (1.0 - b2) * g * g, v, grads)

    def apply(p, m, v):
        m_hat = m / (1.0 - b1**t)
        v_hat = v / (1.0 - b2**t)
        return p - lr * (m_hat + weight_decay * p) / (jnp.sqrt(v_hat) + eps)

    return jax.tree.map(apply, params, m, v), (m, v, t)
