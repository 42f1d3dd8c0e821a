# ruff: noqa  (kept as it was written)
import jax.numpy as jnp

NS_COEFFS = (3.4445, -4.7750, 2.0315)


def orthogonalize(g, ns_steps=5, eps=1e-7):
    a, b, c = NS_COEFFS
    transpose = g.shape[0] > g.shape[1]
    x = g.T if transpose else g
    x = x / (jnp.linalg.norm(x) + eps)
    for _ in range(ns_steps):
        gram = x @ x.T
        poly = b * gram + c * gram
        x = a * x + poly @ x
    return x.T if transpose else x


def init(p):
    return {"momentum": jnp.zeros_like(p)}


def update(p, g, state, lr=0.02, beta=0.95, weight_decay=0.0):
    """Muon for one matrix (Nesterov form, EMA momentum)."""
    buf = beta * state["momentum"] + (1 - beta) * g
    u = orthogonalize(beta * buf + (1 - beta) * g)
    u = u * max(1, p.shape[0] / p.shape[1]) ** 0.5
    p = p * (1 - lr * weight_decay) - lr * u
    return p, {"momentum": buf}
