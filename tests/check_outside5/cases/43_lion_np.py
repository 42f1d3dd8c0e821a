import numpy as np


def lion(p, g, m=None, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
    """Lion (Chen et al. 2023). Returns the new parameter and momentum."""
    if m is None:
        m = np.zeros_like(p)
    m = beta2 * m + (1 - beta2) * g
    update = np.sign(beta1 * m + (1 - beta1) * g)
    p = p - lr * (update + weight_decay * p)
    return p, m
