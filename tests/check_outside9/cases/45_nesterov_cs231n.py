import numpy as np


def nesterov_momentum(w, dw, config=None):
    """
    Performs stochastic gradient descent with Nesterov accelerated momentum.

    config format:
    - learning_rate: Scalar learning rate.
    - momentum: Scalar between 0 and 1 giving the momentum value.
    - velocity: A numpy array of the same shape as w and dw used to store a
      moving average of the gradients.

    Returns a tuple (next_w, config).
    """
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", np.zeros_like(w))

    mu = config["momentum"]
    v = mu * v - config["learning_rate"] * dw
    v_prev = v
    next_w = w - mu * v_prev + (1 + mu) * v

    config["velocity"] = v
    return next_w, config
