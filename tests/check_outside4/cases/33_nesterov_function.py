import numpy as np


def sgd_nesterov(w, dw, config=None, learning_rate=1e-2, momentum=0.9):
    """Nesterov momentum for one array; config keeps the velocity."""
    config = dict(config) if config else {}
    v_prev = config.get("velocity", np.zeros_like(w))
    v = momentum * v_prev - learning_rate * dw
    next_w = w - momentum * v_prev + (1 + momentum) * v
    config["velocity"] = v
    return next_w, config
