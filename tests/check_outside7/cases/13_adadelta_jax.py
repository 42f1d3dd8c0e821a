import jax
import jax.numpy as jnp


def adadelta_init(params):
    z = lambda: jax.tree_util.tree_map(jnp.zeros_like, params)
    return z(), z()


def adadelta_update(params, grads, state, lr=1.0, rho=0.95, eps=1e-6):
    """Adadelta with a global learning rate on top (lr=1 is the original method)."""
    eg, ed = state
    tm = jax.tree_util.tree_map
    eg = tm(lambda a, g: rho * a + (1 - rho) * g * g, eg, grads)
    delta = tm(lambda g, a, d: -lr * (d + eps) / jnp.sqrt(a + eps) * g, grads, eg, ed)
    ed = tm(lambda d, dx: rho * d + (1 - rho) * dx * dx, ed, delta)
    params = tm(lambda p, dx: p + dx, params, delta)
    return params, (eg, ed)
