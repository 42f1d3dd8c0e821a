# ruff: noqa  (kept as it was written)
from typing import NamedTuple

import numpy as np


class AdamWState(NamedTuple):
    t: int
    m: np.ndarray  # unnormalised: sum_i beta1**(t-i) g_i
    v: np.ndarray  # unnormalised: sum_i beta2**(t-i) g_i**2


def init(p):
    return AdamWState(0, np.zeros_like(p), np.zeros_like(p))


def update(p, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    t = state.t + 1
    m = g + beta1 * state.m
    v = g * g + beta2 * state.v
    # weighted means: sum of the weights 1 + beta + ... + beta**(t-1)
    n1 = sum(beta1**i for i in range(t))
    n2 = sum(beta2**i for i in range(t))
    direction = (m / n1) / (np.sqrt(v / n2) + eps)
    return p - lr * (direction + weight_decay * p), AdamWState(t, m, v)
