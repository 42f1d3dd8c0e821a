# ruff: noqa  (kept as it was written)
import numpy as np


def rmsprop_minimise(grad_fn, x0, lr=0.01, rho=0.99, eps=1e-8, n_steps=100, trace=None):
    """Minimise a function of one array with RMSProp.

    grad_fn(x) -> gradient with the shape of x. If trace is a list, every
    iterate is appended to it.
    """
    x = np.array(x0, dtype=float)
    mean_square = np.ones_like(x)
    for _ in range(n_steps):
        g = grad_fn(x)
        mean_square += (1.0 - rho) * (g * g - mean_square)
        x = x - lr * g / (np.sqrt(mean_square) + eps)
        if trace is not None:
            trace.append(x.copy())
    return x
