"""Mistakes as people make them in functions that give back parameters and state. Written by hand; none from the catalogue."""

from __future__ import annotations

import numpy as np


def sgd_squared(w, dw, lr=0.1):
    return w - lr * dw**2


def sgd_signed(w, dw, lr=0.1):
    return w - lr * np.sign(dw)


def momentum_damped_twice(p, g, v, lr=0.01, momentum=0.9):
    v = momentum * (v + g)
    return p - lr * v, v


def momentum_average_old(p, g, state, lr=0.01, momentum=0.9):
    v = state.get("v", 0.0)
    v = v + (1 - momentum) * g
    return p - lr * v, {"v": v}


def nesterov_velocity_twice(p, g, v, lr=0.01, momentum=0.9):
    v = momentum * v + g
    return p - lr * (v + momentum * v), v


def nesterov_damped(p, g, v, lr=0.01, momentum=0.9):
    v = momentum * v + (1 - momentum) * g
    return p - lr * (g + momentum * v), v


def rmsprop_max(p, g, cache, lr=0.01, rho=0.99, eps=1e-8):
    cache = np.maximum(rho * cache, g * g)
    return p - lr * g / (np.sqrt(cache) + eps), cache


def rmsprop_corrected(w, dw, config=None, lr=0.01, rho=0.99, eps=1e-8):
    if config is None:
        config = {"s": np.zeros_like(w), "t": 0}
    config["t"] += 1
    config["s"] = rho * config["s"] + (1 - rho) * dw**2
    w = w - lr * dw / (np.sqrt(config["s"] / (1 - rho ** config["t"])) + eps)
    return w, config


def adagrad_floor(p, g, acc, lr=0.01, eps=1e-10):
    acc = acc + g**2
    return p - lr * g / np.maximum(np.sqrt(acc), eps), acc


def adagrad_eps_twice(p, g, acc, lr=0.01, eps=1e-10):
    acc = acc + g**2
    return p - lr * g / (np.sqrt(acc) + eps + eps), acc


def adam_first_gradient(p, g, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    if not state:
        state = {"m": g, "v": np.zeros_like(g), "t": 1}
        state["v"] = (1 - beta2) * g**2
    else:
        state = {
            "m": beta1 * state["m"] + (1 - beta1) * g,
            "v": beta2 * state["v"] + (1 - beta2) * g**2,
            "t": state["t"] + 1,
        }
    m_hat, v_hat = state["m"] / (1 - beta1 ** state["t"]), state["v"] / (1 - beta2 ** state["t"])
    return p - lr * m_hat / (np.sqrt(v_hat) + eps), state


def adam_variance(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g - m) ** 2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return p - lr * m_hat / (np.sqrt(v_hat) + eps), m, v


def adam_betas_swapped_in_correction(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta2**t), v / (1 - beta1**t)
    return p - lr * m_hat / (np.sqrt(v_hat) + eps), m, v


def adam_unweighted_gradient(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + g
    v = beta2 * v + (1 - beta2) * g**2
    return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_unweighted_square(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + g * g
    return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_corrected_by_root(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return p - lr * m / np.sqrt(1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_skips_zeros(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    new_m = beta1 * m + (1 - beta1) * g
    new_v = beta2 * v + (1 - beta2) * g**2
    new_p = p - lr * new_m / (1 - beta1**t) / (np.sqrt(new_v / (1 - beta2**t)) + eps)
    return np.where(g != 0, new_p, p), new_m, new_v


def adam_clipped(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    g = np.clip(g, -1, 1)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adamw_decay_squared_rate(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    p = p * (1 - lr * lr * weight_decay)
    return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adamw_grows(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    p = p * (1 + lr * weight_decay)
    return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def lion_no_sign(p, g, m, lr=1e-4, beta1=0.9, beta2=0.99):
    c = beta1 * m + (1 - beta1) * g
    return p - lr * c, beta2 * m + (1 - beta2) * g


def lion_swapped(p, g, m, lr=1e-4, beta1=0.9, beta2=0.99):
    c = beta2 * m + (1 - beta2) * g
    return p - lr * np.sign(c), beta1 * m + (1 - beta1) * g


def two_mistakes(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """The second moment is corrected with beta1, and eps stands inside the root."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return p - lr * m / (1 - beta1**t) / np.sqrt(v / (1 - beta1**t) + eps), m, v


def two_other_mistakes(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """The first moment is not weighted, and the second averages |g|."""
    m = beta1 * m + g
    v = beta2 * v + (1 - beta2) * np.abs(g)
    return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_odd_power(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """In no catalogue: the root is a power of 0.45."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return p - lr * m / (1 - beta1**t) / ((v / (1 - beta2**t)) ** 0.45 + eps), m, v


def adam_odd_momentum(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """In no catalogue: the mean forgets with beta1 to the power 1.3."""
    m = beta1**1.3 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


CASES = {
    "sgd_squared": ("sgd", {"p"}),
    "sgd_signed": ("sgd", {"p"}),
    "momentum_damped_twice": ("momentum", {"b", "p"}),
    "momentum_average_old": ("momentum", {"b"}),
    "nesterov_velocity_twice": ("nesterov", {"d"}),
    "nesterov_damped": ("nesterov", {"b"}),
    "rmsprop_max": ("rmsprop", {"v"}),
    "rmsprop_corrected": ("rmsprop", {"v"}),
    "adagrad_floor": ("adagrad", {"r"}),
    "adagrad_eps_twice": ("adagrad", {"r"}),
    "adam_first_gradient": ("adam", {"m"}),
    "adam_variance": ("adam", {"v"}),
    "adam_betas_swapped_in_correction": ("adam", {"m_hat"}),
    "adam_unweighted_gradient": ("adam", {"m"}),
    "adam_unweighted_square": ("adam", {"v"}),
    "adam_corrected_by_root": ("adam", {"m_hat"}),
    "adam_skips_zeros": ("adam", {"p"}),
    "adam_clipped": ("adam", {"g"}),
    "adamw_decay_squared_rate": ("adamw", {"p"}),
    "adamw_grows": ("adamw", {"p"}),
    "lion_no_sign": ("lion", {"p"}),
    "lion_swapped": ("lion", {"c"}),
    "two_mistakes": ("adam", {"v_hat", "p"}),
    "two_other_mistakes": ("adam", {"m", "v"}),
    "adam_odd_power": ("adam", {"v", "p", "v_hat"}),
    "adam_odd_momentum": ("adam", {"m"}),
}
