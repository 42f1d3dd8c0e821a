# ruff: noqa  (kept as it was written)
import numpy as np


def init(p):
    return {"velocity": np.zeros_like(p), "step": 0}


def update(p, g, state, lr=0.01, momentum=0.9, weight_decay=0.0):
    """One step of heavy-ball SGD. Returns (new_p, new_state)."""
    if weight_decay:
        g = g + weight_decay * p
    v = state.get("velocity", np.zeros_like(p))
    v_new = momentum * v + g
    p_new = p - lr * v_new
    new_state = dict(state)
    new_state.update(v=v_new, step=state["step"] + 1)
    return p_new, new_state
