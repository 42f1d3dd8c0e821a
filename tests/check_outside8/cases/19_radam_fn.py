import math

import numpy as np


def radam_step(theta, grad, state, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
    """Rectified Adam for one array; state is a dict, {} at the beginning. Returns the new array."""
    beta1, beta2 = betas
    if not state:
        state["t"], state["m"], state["v"] = 0, np.zeros_like(theta), np.zeros_like(theta)
    state["t"] += 1
    t = state["t"]
    state["m"] = beta1 * state["m"] + (1 - beta1) * grad
    state["v"] = beta2 * state["v"] + (1 - beta2) * grad ** 2
    m_hat = state["m"] / (1 - beta1 ** t)

    # length of the approximated SMA
    rho_inf = 2 / (1 - beta2) - 1
    beta2_t = beta2 ** t
    rho_t = rho_inf - 2 * beta2_t / (1 - beta2_t)

    if rho_t > 5:
        l_t = math.sqrt(1 - beta2_t) / (np.sqrt(state["v"]) + eps)
        r_t = math.sqrt(
            ((rho_t - 4) * (rho_t - 2) * rho_inf) / ((rho_inf - 4) * (rho_inf - 2) * rho_t)
        )
        return theta - lr * m_hat * r_t * l_t
    # variance not tractable yet: momentum only
    return theta - lr * m_hat
