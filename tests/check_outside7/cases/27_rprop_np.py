import numpy as np


def rprop_update(w, grad, state, lr=0.01, etas=(0.5, 1.2), step_sizes=(1e-6, 50)):
    """Resilient backprop, full batch only!

    Defaults are the ones from the PyTorch docs. `state` starts as an empty dict.
    Returns the new weights and the state.
    """
    if "delta" not in state:
        state["delta"] = np.full_like(w, lr)
        state["prev"] = np.zeros_like(w)
    up, down = etas
    lo, hi = step_sizes

    agree = grad * state["prev"]
    delta = state["delta"]
    delta = np.where(agree > 0, delta * up, delta)
    delta = np.where(agree < 0, delta * down, delta)
    delta = np.clip(delta, lo, hi)
    # no step where the sign flipped, and forget that gradient
    grad = np.where(agree < 0, 0.0, grad)

    w = w - np.sign(grad) * delta
    state["delta"] = delta
    state["prev"] = grad
    return w, state
