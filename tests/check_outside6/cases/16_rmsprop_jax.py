import jax
import jax.numpy as jnp


class RMSProp:
    """RMSProp (Hinton, lecture 6e).

        MeanSquare(w, t) = 0.9 MeanSquare(w, t-1) + 0.1 (dE/dw)^2

    and the gradient is divided by sqrt(MeanSquare(w, t)).
    """

    def __init__(self, learning_rate=1e-3, rho=0.9, eps=1e-8):
        self.learning_rate = learning_rate
        self.rho = rho
        self.eps = eps

    def init(self, params):
        return jax.tree.map(lambda p: jnp.zeros((), p.dtype), params)

    def update(self, params, grads, mean_square):
        mean_square = jax.tree.map(
            lambda ms, g: self.rho * ms + (1 - self.rho) * jnp.mean(g**2), mean_square, grads
        )
        params = jax.tree.map(
            lambda p, g, ms: p - self.learning_rate * g / (jnp.sqrt(ms) + self.eps),
            params,
            grads,
            mean_square,
        )
        return params, mean_square
