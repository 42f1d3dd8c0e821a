# ruff: noqa  (kept as it was written)
def init(p):
    return {"buf": None}


def momentum_update(p, g, state, lr=0.01, momentum=0.9, weight_decay=0.0):
    """One step of torch-style SGD with momentum.

    Returns (new_p, new_state).
    """
    buf = state["buf"]
    buf = g if buf is None else momentum * buf + g
    p = p - lr * (buf + weight_decay * p)
    return p, {"buf": buf}
