# ruff: noqa  (kept as it was written)
import numpy as np


def adadelta_step(x, grad, sq, acc, *, lr=1.0, rho=0.9, eps=1e-6):
    """x, grad, sq = E[g^2], acc = E[dx^2]  ->  new x, new sq, new acc."""
    sq = sq - (1 - rho) * (sq - grad * grad)
    ratio = (acc + eps) / (sq + eps)  # squared step size, per coordinate
    acc = rho * acc + (1 - rho) * ratio * grad**2
    return x - lr * np.sqrt(ratio) * grad, sq, acc
