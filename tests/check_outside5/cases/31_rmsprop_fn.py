import numpy as np


def init_state(p):
    return {"sq": np.zeros_like(p)}


def rmsprop_step(p, g, state=None, lr=1e-3, rho=0.9, eps=1e-8):
    """RMSprop (Hinton, lecture 6e): keep a decaying average of the squared
    gradient and divide by its root."""
    if state is None:
        state = init_state(p)
    state["sq"] = rho * state["sq"] + g ** 2
    p = p - lr * g / (np.sqrt(state["sq"]) + eps)
    return p, state
