"""Adam as a pair of pure functions, meant to be carried through lax.scan."""
import jax
import jax.numpy as jnp


def adam(lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):

    def init(params):
        zeros = jax.tree_util.tree_map(jnp.zeros_like, params)
        return (jnp.zeros((), jnp.int32), zeros, zeros)

    def update(grads, state, params):
        count, mu, nu = state
        count = count + 1
        mu = jax.tree_util.tree_map(lambda m, g: m + (1 - b1) * (g - m), mu, grads)
        nu = jax.tree_util.tree_map(lambda v, g: v + (1 - b2) * (g * g - v), nu, grads)

        # fold the corrections into the step size (end of section 2 of the paper):
        # one scalar instead of two more passes over the arrays
        lr_t = lr * (1 - b2 ** count) / (1 - b1 ** count)
        new_params = jax.tree_util.tree_map(
            lambda p, m, v: p - lr_t * m / (jnp.sqrt(v) + eps), params, mu, nu)
        return new_params, (count, mu, nu)

    return init, update
