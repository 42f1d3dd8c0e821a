# ruff: noqa  (kept as it was written)
import numpy as np


def lion_step(w, grad, m=None, *, lr=1e-4, b1=0.9, b2=0.99, wd=0.0):
    """One Lion step on one array. Returns the new weights and the new momentum."""
    if m is None:
        m = np.zeros_like(w)
    grad = grad + wd * w
    c = b1 * m + (1 - b1) * grad
    m = b2 * m + (1 - b2) * grad
    return w - lr * np.sign(c), m
