import numpy as np


def schedule_free_sgd(y, g, state, lr=0.1, beta=0.9):
    """The Road Less Scheduled (Defazio et al. 2024), SGD version.

    y     : the point the gradient was taken at
    g     : gradient at y
    state : dict, empty on the first call; afterwards z (base iterate),
            x (average, the one to evaluate) and k
    """
    if not state:
        state.update(k=0, z=y.copy(), x=y.copy())
    state["k"] += 1
    c = 1.0 / state["k"]

    state["z"] = state["z"] - lr * g
    state["x"] = (1 - c) * state["x"] + c * state["z"]
    y = (1 - beta) * state["x"] + beta * state["z"]
    return y, state
