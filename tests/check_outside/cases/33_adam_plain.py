# ruff: noqa  (kept as it was written)
import numpy as np


def adam_step(theta, grad, m, v, t, *, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Algorithm 1 of Kingma & Ba for one array. `t` is 1 on the first call.

    Returns (theta, m, v).
    """
    m = beta1 * m + (1.0 - beta1) * grad
    v = beta2 * v + (1.0 - beta2) * grad * grad
    m_hat = m / (1.0 - beta1**t)
    v_hat = v / (1.0 - beta2**t)
    theta = theta - alpha * m_hat / np.sqrt(v_hat + epsilon)
    return theta, m, v
