"""Adam on pytrees, no dependency but jax."""
import jax
import jax.numpy as jnp


def adam(learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Returns (init, update); update(grads, state, params) -> (new_params, new_state)."""

    def init(params):
        zeros = jax.tree_util.tree_map(jnp.zeros_like, params)
        return {"count": jnp.zeros([], jnp.int32), "mu": zeros, "nu": zeros}

    def update(grads, state, params):
        tmap = jax.tree_util.tree_map
        t = state["count"] + 1
        mu = tmap(lambda m, g: b1 * m + (1 - b1) * g, state["mu"], grads)
        nu = tmap(lambda v, g: b2 * v + (1 - b2) * g * g, state["nu"], grads)
        mu = tmap(lambda m: m / (1 - b1 ** t), mu)
        nu_hat = tmap(lambda v: v / (1 - b2 ** t), nu)
        new_params = tmap(
            lambda p, m, v: p - learning_rate * m / (jnp.sqrt(v) + eps), params, mu, nu_hat
        )
        return new_params, {"count": t, "mu": mu, "nu": nu}

    return init, update
