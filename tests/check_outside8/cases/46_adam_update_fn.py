import numpy as np


def adam_update(w, dw, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """One Adam update of a single array.

    `state` is a dict that belongs to this array ({} before the first call).
    Returns the new array; the state is updated in place.
    """
    m = state.get("m", np.zeros_like(w))
    v = state.get("v", np.zeros_like(w))
    t = state.get("t", 0) + 1

    m = beta1 * m + (1.0 - beta1) * dw
    v = beta2 * v + (1.0 - beta2) * np.square(dw)

    # unbiased estimates
    mt = m / (1.0 - 0.9 ** t)
    vt = v / (1.0 - 0.999 ** t)

    state.update(m=m, v=v, t=t)
    return w - lr * mt / (np.sqrt(vt) + eps)
