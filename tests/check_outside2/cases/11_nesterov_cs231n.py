# ruff: noqa  (kept as it was written)
import numpy as np


def nesterov(w, dw, config=None):
    """CS231n-style update rule.

    config keys:
    - learning_rate: scalar
    - momentum: scalar between 0 and 1
    - velocity: array of the same shape as w
    """
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", np.zeros_like(w))
    mu = config["momentum"]

    v_prev = v
    v = mu * v - config["learning_rate"] * dw
    next_w = w + v + mu * (v - v_prev)

    config["velocity"] = v
    return next_w, config
