# ruff: noqa  (kept as it was written)
import jax.numpy as jnp


def nadam_init(params):
    return jnp.zeros_like(params), jnp.zeros_like(params), 0


def nadam_update(params, grads, state, learning_rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """Nadam with constant momentum (the simplified form, as in optax)."""
    mu, nu, count = state
    count = count + 1
    mu = b1 * mu + (1 - b1) * grads
    nu = b2 * nu + (1 - b2) * grads**2
    mu_hat = b1 * mu / (1 - b1 ** (count + 1)) + grads / (1 - b1**count)
    nu_hat = nu / (1 - b2**count)
    new_params = params - learning_rate * mu_hat / (jnp.sqrt(nu_hat) + eps)
    return new_params, (mu, nu, count)
