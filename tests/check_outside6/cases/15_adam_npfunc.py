import numpy as np


def adam_update(w, dw, config=None):
    """
    Adam in the "efficient" form of section 2 of the paper, where the two
    bias corrections are folded into the step size.

    config keys:
    - learning_rate: scalar
    - beta1, beta2: decay rates of the moving averages
    - epsilon: small scalar against division by zero
    - m, v, t: running state
    """
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", np.zeros_like(w))
    config.setdefault("v", np.zeros_like(w))
    config.setdefault("t", 0)

    b1, b2 = config["beta1"], config["beta2"]
    config["t"] += 1
    t = config["t"]
    config["m"] = b1 * config["m"] + (1 - b1) * dw
    config["v"] = b2 * config["v"] + (1 - b2) * dw**2

    lr_t = config["learning_rate"] * (1 - b2**t) / (1 - b1**t)
    next_w = w - lr_t * config["m"] / (np.sqrt(config["v"]) + config["epsilon"])
    return next_w, config
