# ruff: noqa  (kept as it was written)
import numpy as np


def nesterov_momentum(w, dw, config=None):
    """
    SGD with Nesterov's accelerated gradient (the change-of-variables form, in
    which w holds the look-ahead point).
    """
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    config.setdefault("velocity", np.zeros_like(w))

    mu, lr = config["momentum"], config["learning_rate"]
    v = config["velocity"]

    v_prev = v
    v *= mu
    v -= lr * dw
    next_w = w - mu * v_prev + (1 + mu) * v

    config["velocity"] = v
    return next_w, config
