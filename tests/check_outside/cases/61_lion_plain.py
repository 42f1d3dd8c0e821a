# ruff: noqa  (kept as it was written)
import numpy as np


def lion_step(x, grad, m, *, lr=1e-4, b1=0.9, b2=0.99, wd=0.0):
    """One Lion step on one array; returns (x, m). No call to sign()."""
    diff = grad - m
    c = m + (1 - b1) * diff
    d = np.where(c > 0, 1.0, 0.0) - np.where(c < 0, 1.0, 0.0)
    return (1 - lr * wd) * x - lr * d, m + (1 - b2) * diff
