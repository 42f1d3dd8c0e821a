import numpy as np


def adamw_update(theta, grad, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-4, eta=1.0):
    """Algorithm 2 of Loshchilov & Hutter; eta is the schedule multiplier, set by the caller.

    Returns (theta, state); state is None at the first call.
    """
    t, m, v = state if state is not None else (0, 0.0, 0.0)
    t = t + 1
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad ** 2
    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
    theta = theta - eta * (lr * m_hat / (np.sqrt(v_hat) + eps) + weight_decay * theta)
    return theta, (t, m, v)
