"""Adam for long runs: the powers of beta are taken in log space.

``1 - beta**t`` loses digits for beta close to one, ``-expm1(t * log(beta))``
does not.
"""
import numpy as np


def init_state(p):
    return {"t": 0, "m": np.zeros_like(p), "v": np.zeros_like(p)}


def update(p, g, state, alpha=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    a1, a2 = 1.0 - beta1, 1.0 - beta2
    t = state["t"] + 1
    m = state["m"] + a1 * (g - state["m"])
    v = state["v"] + a2 * (g * g - state["v"])

    c1 = -np.expm1(t * np.log1p(-a1))
    c2 = -np.expm1(t * np.log1p(-beta2))
    p = p - alpha * (m / c1) / (np.sqrt(v / c2) + eps)
    return p, {"t": t, "m": m, "v": v}
