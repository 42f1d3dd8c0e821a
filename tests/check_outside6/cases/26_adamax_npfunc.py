import numpy as np


def adamax_update(p, g, state, lr=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
    """AdaMax, algorithm 2 of Kingma & Ba: Adam with the infinity norm.

    `state` is {} before the first call.
    """
    t = state.get("t", 0) + 1
    m = beta1 * state.get("m", np.zeros_like(p)) + (1 - beta1) * g
    u = np.maximum(beta2 * state.get("u", 0.0), np.linalg.norm(g.ravel(), np.inf))
    state.update(t=t, m=m, u=u)
    return p - lr / (1 - beta1**t) * m / (u + eps), state
