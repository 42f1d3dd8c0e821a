"""Muon for a single weight matrix, NumPy version of Keller Jordan's code."""
import numpy as np


def newton_schulz(G, steps=5, eps=1e-7):
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G / (np.linalg.norm(G) + eps)
    transposed = G.shape[0] > G.shape[1]
    if transposed:
        X = X.T
    for _ in range(steps):
        A = X @ X.T
        B = b * A + c * A @ A
        X = a * X + B @ X
    return X.T if transposed else X


def init_state(p):
    return {"momentum": np.zeros_like(p)}


def update(p, g, state, lr=0.02, momentum=0.95, nesterov=True, ns_steps=5, weight_decay=0.0):
    buf = momentum * state["momentum"] + (1 - momentum) * g
    d = g + momentum * buf if nesterov else buf
    o = newton_schulz(d, steps=ns_steps)
    scale = max(1.0, p.shape[0] / p.shape[1]) ** 0.5
    p = p * (1 - lr * weight_decay) - lr * scale * o
    return p, {"momentum": buf}
