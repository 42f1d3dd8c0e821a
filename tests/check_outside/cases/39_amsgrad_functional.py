# ruff: noqa  (kept as it was written)
import numpy as np


def update(p, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """AMSGrad step for one array. `state` is {} before the first call."""
    if not state:
        state = {"k": 0, "m": np.zeros_like(p), "v": np.zeros_like(p), "vmax": np.zeros_like(p)}
    k = state["k"] + 1
    g2 = g * g
    m = beta1 * state["m"] + (1 - beta1) * g
    v = beta2 * state["v"] + (1 - beta2) * g2
    vmax = np.maximum(state["vmax"], g2)
    denom = np.sqrt(vmax / (1 - beta2**k)) + eps
    p = p - lr / (1 - beta1**k) * m / denom
    return p, {"k": k, "m": m, "v": v, "vmax": vmax}
