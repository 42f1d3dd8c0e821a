# ruff: noqa  (kept as it was written)
import numpy as np


def prodigy_init(x, d0=1e-6):
    z = np.zeros_like(x)
    return dict(x0=x.copy(), m=z, v=z, s=z, r=0.0, d=d0, d0=d0)


def prodigy_update(x, g, st, lr=1.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    """Prodigy (Adam version) for a single flat parameter vector."""
    b1, b2 = betas
    b3 = b2
    d = st["d"]
    dlr = d * lr
    k = d / st["d0"] * dlr

    r = b3 * st["r"] + k * np.sum(g * (st["x0"] - x))
    s = b3 * st["s"] + k * g
    m = b1 * st["m"] + (1 - b1) * d * g
    v = b2 * st["v"] + (1 - b2) * (d * g) ** 2

    d_new = max(d, r / np.abs(s).sum())
    x_new = x - dlr * (m / (np.sqrt(v) + d_new * eps) + weight_decay * x)
    return x_new, dict(x0=st["x0"], m=m, v=v, s=s, r=r, d=d_new, d0=st["d0"])
