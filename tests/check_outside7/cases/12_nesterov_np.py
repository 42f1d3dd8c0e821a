import numpy as np


def nesterov_update(x, dx, config=None):
    """Nesterov momentum in the form that only needs the gradient at the current x.

    config keys: learning_rate, momentum, velocity (filled in on first use).
    """
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", np.zeros_like(x))
    mu = config["momentum"]

    v_prev = v.copy()
    v = mu * v - config["learning_rate"] * dx
    next_x = x + mu * v_prev + (1 + mu) * v

    config["velocity"] = v
    return next_x, config
