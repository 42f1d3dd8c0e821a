# optimizers.ipynb, exported. One call = one update of one weight array.
import numpy as np


def adam_update(p, g, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    if not state:
        state["t"] = 0
        state["m"] = np.zeros_like(p)
        state["v"] = np.zeros_like(p)
    state["t"] += 1
    t = state["t"]

    # first moment
    state["m"] = beta1 * state["m"] + (1 - beta1) * g
    m_hat = state["m"] / (1 - beta1 ** t)

    # second moment
    state["v"] = beta2 * state["v"] + (1 - beta1) * g ** 2
    v_hat = state["v"] / (1 - beta1 ** t)

    return p - lr * m_hat / (np.sqrt(v_hat) + eps), state
