# ruff: noqa  (kept as it was written)
import numpy as np


def adam(grad, theta, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8, num_iters=100, callback=None):
    """Algorithm 1 of Kingma & Ba for one parameter array."""
    theta = np.asarray(theta, dtype=np.float64).copy()
    m = np.zeros_like(theta)
    v = np.zeros_like(theta)
    for t in range(1, num_iters + 1):
        g = grad(theta)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta1**t)
        theta -= alpha * m_hat / (np.sqrt(v_hat) + eps)
        if callback is not None:
            callback(theta.copy())
    return theta
