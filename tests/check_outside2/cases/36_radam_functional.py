# ruff: noqa  (kept as it was written)
import math

import torch


def radam_init(p):
    return {"step": 0, "m": torch.zeros_like(p), "v": torch.zeros_like(p)}


def radam_update(p, g, state, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
    """Rectified Adam. Returns (p_new, state)."""
    beta1, beta2 = betas
    step = state["step"] + 1
    m = beta1 * state["m"] + (1 - beta1) * g
    v = beta2 * state["v"] + (1 - beta2) * g * g

    rho_inf = 2 / (1 - beta2) - 1
    beta2_t = beta2**step
    rho_t = rho_inf - 2 * step * beta2_t / (1 - beta2_t)
    m_hat = m / (1 - beta1**step)

    if rho_t > 5:
        rect = math.sqrt((rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t))
        adaptive = math.sqrt(1 - beta2_t) / (v.sqrt() + eps)
        p = p - lr * rect * m_hat * adaptive
    else:
        p = p - lr * m
    return p, {"step": step, "m": m, "v": v}
