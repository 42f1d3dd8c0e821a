import numpy as np


def adamw_step(theta, grad, state=None, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, wd=1e-2):
    """
    One AdamW iteration on a single array.

    Parameters
    ----------
    theta : ndarray   current parameters
    grad  : ndarray   gradient at theta
    state : dict or None   what the previous call returned (None at the beginning)

    Returns
    -------
    theta, state
    """
    if state is None:
        state = dict(t=0, m=np.zeros_like(theta), v=np.zeros_like(theta))

    t = state["t"] + 1
    m = beta1 * state["m"] + (1 - beta1) * grad
    v = beta2 * state["v"] + (1 - beta2) * grad**2

    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)

    theta = theta - lr * (m_hat / (np.sqrt(v_hat) + eps) - wd * theta)
    return theta, dict(t=t, m=m, v=v)
