"""Adam with the efficient ordering of the bias correction (end of section 2 in the paper):
fold both corrections into a single step size per iteration."""
import numpy as np


def update(p, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    if not state:
        state["t"] = 0
        state["m"] = np.zeros_like(p)
        state["v"] = np.zeros_like(p)
    state["t"] += 1
    t = state["t"]

    state["m"] = beta1 * state["m"] + (1.0 - beta1) * g
    state["v"] = beta2 * state["v"] + (1.0 - beta2) * np.square(g)

    lr_t = lr * np.sqrt(1.0 - beta1**t) / (1.0 - beta2**t)
    p = p - lr_t * state["m"] / (np.sqrt(state["v"]) + eps)
    return p, state
