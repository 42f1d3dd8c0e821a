import jax
import jax.numpy as jnp


def radam_init(params):
    return {
        "step": jnp.asarray(0),
        "m": jax.tree.map(jnp.zeros_like, params),
        "v": jax.tree.map(jnp.zeros_like, params),
    }


def radam_step(params, grads, state, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Rectified Adam (Liu et al., 2020)."""
    t = state["step"] + 1
    m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state["m"], grads)
    v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, state["v"], grads)

    rho_inf = 2.0 / (1.0 - b2) - 1.0
    b2t = b2**t
    rho = rho_inf - 2.0 * t * b2t / (1.0 - b2t)
    rect = ((rho - 4.0) * (rho - 2.0) * rho_inf) / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho)

    def leaf(p, m, v):
        m_hat = m / (1 - b1**t)
        v_hat = jnp.sqrt(v / (1 - b2t))
        return jnp.where(rho > 5.0, p - lr * rect * m_hat / (v_hat + eps), p - lr * m_hat)

    params = jax.tree.map(leaf, params, m, v)
    return params, {"step": t, "m": m, "v": v}
