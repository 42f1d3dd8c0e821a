import numpy as np


def nesterov_update(x, dx, state, lr=0.01, momentum=0.9):
    """NAG in the variables of the look-ahead point.

    state is a dict holding the velocity; returns the new x.
    """
    old = state.get("v", np.zeros_like(x))
    new = momentum * old - lr * dx
    state["v"] = new
    return x + new + momentum * (new - old)
