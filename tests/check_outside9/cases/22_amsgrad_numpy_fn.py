import numpy as np


def amsgrad(p, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """AMSGrad step for one array.

    state is a dict; pass {} the first time.  Returns the new array and the
    state.
    """
    if not state:
        state = {"t": 0, "m": np.zeros_like(p), "v": np.zeros_like(p)}

    t = state["t"] + 1
    m = beta1 * state["m"] + (1 - beta1) * g
    v = beta2 * state["v"] + (1 - beta2) * g ** 2
    v = np.maximum(v, state["v"])          # never let it decrease

    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
    p_new = p - lr * m_hat / (np.sqrt(v_hat) + eps)
    return p_new, {"t": t, "m": m, "v": v}
