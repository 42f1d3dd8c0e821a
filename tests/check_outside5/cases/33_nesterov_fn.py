import numpy as np


def nesterov_momentum(x, dx, config=None):
    """Nesterov momentum, course-notes form.

    config: dict with learning_rate, momentum and (after the first call) velocity.
    Returns the new x and the config for the next call.
    """
    config = {} if config is None else config
    lr = config.setdefault("learning_rate", 1e-2)
    mu = config.setdefault("momentum", 0.9)
    v_prev = config.get("velocity", np.zeros_like(x))
    v = mu * v_prev - lr * dx
    config["velocity"] = v
    return x - mu * v_prev + (1 + mu) * v, config
