import jax
import jax.numpy as jnp


def init(params):
    zeros = lambda: jax.tree.map(jnp.zeros_like, params)
    return {"t": 0, "m": zeros(), "v": zeros(), "v_max": zeros()}


def update(params, grads, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
    """AMSGrad on a pytree.  Bias corrected in the same way as torch.optim.Adam(amsgrad=True)."""
    b1, b2 = betas
    t = state["t"] + 1
    tmap = jax.tree.map

    m = tmap(lambda m, g: b1 * m + (1 - b1) * g, state["m"], grads)
    v = tmap(lambda v, g: b2 * v + (1 - b2) * jnp.square(g), state["v"], grads)
    v_max = tmap(lambda prev, cur: jnp.maximum(b2 * prev, cur), state["v_max"], v)

    scale = lr / (1 - b1 ** t)
    root = (1 - b2 ** t) ** 0.5
    new_params = tmap(
        lambda p, m, vm: p - scale * m / (jnp.sqrt(vm) / root + eps), params, m, v_max)
    return new_params, {"t": t, "m": m, "v": v, "v_max": v_max}
