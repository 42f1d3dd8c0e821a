# ruff: noqa  (kept as it was written)
import numpy as np


def adagrad(w, dw, config=None):
    """
    Adagrad: every coordinate is divided by the root of its gradient history.

    config format:
    - learning_rate: Scalar learning rate.
    - epsilon: Small scalar used for smoothing to avoid dividing by zero.
    - cache: gradient history.
    """
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("epsilon", 1e-10)
    config.setdefault("cache", np.zeros_like(w))

    config["cache"] = config["cache"] + dw
    next_w = w - config["learning_rate"] * dw / (np.sqrt(config["cache"] ** 2) + config["epsilon"])
    return next_w, config
