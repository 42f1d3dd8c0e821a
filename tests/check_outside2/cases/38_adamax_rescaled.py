# ruff: noqa  (kept as it was written)
import numpy as np


def new_state(p):
    return dict(t=0, m=np.zeros_like(p), w=np.zeros_like(p))


def adamax_update(p, g, state, alpha=2e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adamax with the infinity norm kept in units of beta2**t.

    w_t = u_t / beta2**t never decays: it is a running maximum.
    """
    t = state["t"] + 1
    m = state["m"] + (1.0 - beta1) * (g - state["m"])
    decay = beta2**t
    w = np.maximum(state["w"], (np.abs(g) + eps) / decay)
    p = p - alpha * m / ((1.0 - beta1**t) * decay * w)
    return p, dict(t=t, m=m, w=w)
