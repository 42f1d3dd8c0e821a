import numpy as np


def update(p, g, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """In-place Adam on one array. state: empty dict at first; keeps the powers of the betas."""
    s = state
    if not s:
        s.update(m=np.zeros_like(p), v=np.zeros_like(p), b1p=1.0, b2p=1.0)
    s["b1p"] *= beta_1
    s["b2p"] *= beta_2
    alpha = learning_rate * np.sqrt(1 - s["b2p"]) / (1 - s["b1p"])
    s["m"] += (g - s["m"]) * (1 - beta_1)
    s["v"] += (g * g - s["v"]) * (1 - beta_2)
    p -= s["m"] * alpha / (np.sqrt(s["v"]) + epsilon)
    return p
