import jax.numpy as jnp


def init_state(p):
    z = jnp.zeros_like(p)
    return dict(step=0, m=z, v=z, v_hat_max=z)


def update(p, g, state, lr=1e-2, betas=(0.9, 0.999), eps=1e-8):
    """AMSGrad (Reddi et al. 2018), the maximum is over the debiased moments."""
    b1, b2 = betas
    step = state["step"] + 1
    m = b1 * state["m"] + (1 - b1) * g
    v = b2 * state["v"] + (1 - b2) * g ** 2

    bc1 = 1 - b1 ** step
    bc2 = 1 - b2 ** step
    v_hat_max = jnp.maximum(state["v_hat_max"], v / bc2)
    denom = jnp.sqrt(v_hat_max) / jnp.sqrt(bc2) + eps
    new_p = p - lr / bc1 * m / denom
    return new_p, dict(step=step, m=m, v=v, v_hat_max=v_hat_max)
