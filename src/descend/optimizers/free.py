"""Rules that need no schedule, or no rate."""

from __future__ import annotations

from typing import Any

from descend.arrays import maximum, sqrt, total
from descend.rules import POWER, SQUARE, START, ZERO, Slot, rule

__all__ = ["prodigy", "schedule_free_adamw", "schedule_free_sgd"]

Array = Any
INF = float("inf")


def average(p: Array, s: Any) -> Array:
    """The averaged point x, from the point y = p where gradients are taken and the fast point z."""
    return (p - (1 - s["beta"]) * s["z"]) / s["beta"]


@rule(
    z=START,
    beta=Slot("beta1", "scalar"),
    lr_max=Slot(0.0, "scalar"),
    weights=Slot(0.0, "scalar", limit=1e9),
    title="Schedule-free SGD",
    paper="Defazio et al. 2024",
    convention="the authors' code: p is y, where gradients are taken; x is reported; weights lr_max^weight_lr_power",
    fixes="Choosing a schedule and a stopping time: averaging takes the place of a falling rate.",
    avoid="When a schedule for a known number of steps is tuned already; and never evaluate at y: x is the result.",
    usual_lr="1 to 10 times SGD's; use a warm-up",
    at=average,
    bounds={"beta1": (0.0, 1.0, False, False), "weight_lr_power": (0.0, INF, True, False)},
    meanings={
        "beta1": "how near to the mean the gradient is taken",
    },
)
def schedule_free_sgd(g: Array, p: Array, s: Any, *, lr: float = 1.0, beta1: float = 0.9, weight_lr_power: float = 2.0) -> Any:
    """SGD on z, gradients between z and its mean x, the mean reported."""
    s.beta = beta1
    s.lr_max = maximum(s.lr_max, lr)
    w = s.lr_max**weight_lr_power
    s.weights = s.weights + w
    c = w / maximum(s.weights, 1e-30)
    p = (1 - c) * p + c * s.z - lr * (1 - beta1 * (1 - c)) * g
    s.z = s.z - lr * g
    return p, s


@rule(
    z=START,
    v=SQUARE,
    k2=POWER("beta2"),
    beta=Slot("beta1", "scalar"),
    lr_max=Slot(0.0, "scalar"),
    weights=Slot(0.0, "scalar", limit=1e9),
    title="Schedule-free AdamW",
    paper="Defazio et al. 2024, algorithm 1",
    convention="the authors' code and optax: the decay acts at y; eps is added to the corrected root",
    fixes="Choosing a schedule and a stopping time, with a rate per coordinate.",
    avoid="When a schedule for a known number of steps is tuned already; and never evaluate at y: x is the result.",
    usual_lr="1 to 10 times AdamW's; 2.5e-3; use a warm-up",
    kind="adaptive",
    at=average,
    bounds={"beta1": (0.0, 1.0, False, False), "weight_lr_power": (0.0, INF, True, False)},
    meanings={
        "beta1": "how near to the mean the gradient is taken",
    },
)
def schedule_free_adamw(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 2.5e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    weight_lr_power: float = 2.0,
) -> Any:
    """AdamW without momentum on z, gradients between z and its mean x, the mean reported."""
    s.beta = beta1
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k2 = beta2 * s.k2
    v_hat = s.v / (1 - s.k2)
    u = g / (sqrt(v_hat) + eps) + weight_decay * p
    s.lr_max = maximum(s.lr_max, lr)
    w = s.lr_max**weight_lr_power
    s.weights = s.weights + w
    c = w / maximum(s.weights, 1e-30)
    p = (1 - c) * p + c * s.z - lr * (1 - beta1 * (1 - c)) * u
    s.z = s.z - lr * u
    return p, s


@rule(
    m=ZERO,
    v=SQUARE,
    s=ZERO,
    p0=START,
    d=Slot("d0", "scalar"),
    num=Slot(0.0, "scalar"),
    k1=POWER("beta1"),
    k2=POWER("beta2"),
    title="Prodigy",
    paper="Mishchenko & Defazio 2024, algorithm 4",
    convention="the authors' code: no correction unless bias_correction (optax always corrects), β3 = √β2, growth unbounded",
    fixes="Choosing a rate: estimates the distance to the solution, which only grows, and steps accordingly.",
    avoid="Short runs, and parameter groups that are meant to have rates of their own.",
    usual_lr="1.0 (a multiplier)",
    kind="adaptive",
    bounds={"d0": (0.0, INF, False, False), "d_coef": (0.0, INF, False, False)},
    meanings={
        "lr": "multiplies the estimated rate; a schedule goes here",
        "d0": "first estimate of the distance to go",
        "d_coef": "factor on the estimate",
        "bias_correction": "correct the moments for their zero start (optax)",
        "safeguard_warmup": "keep a warm-up out of the estimate",
    },
)
def prodigy(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1.0,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    d0: float = 1e-6,
    d_coef: float = 1.0,
    bias_correction: bool = False,
    safeguard_warmup: bool = False,
) -> Any:
    """AdamW that finds its own rate d from sums over all arrays."""
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    rate = s.d * lr * (sqrt(1 - s.k2) / (1 - s.k1) if bias_correction else 1.0)
    beta3 = sqrt(beta2)
    s.m = beta1 * s.m + (1 - beta1) * s.d * g
    s.v = beta2 * s.v + (1 - beta2) * s.d**2 * g**2
    s.s = beta3 * s.s + s.d / d0 * (s.d if safeguard_warmup else rate) * g
    dot, den = yield total(g * (s.p0 - p)), total(abs(s.s))
    s.num = beta3 * s.num + s.d / d0 * rate * dot
    s.d = maximum(s.d, d_coef * s.num / maximum(den, 1e-30))
    p = p - rate * weight_decay * p
    p = p - rate * s.m / (sqrt(s.v) + s.d * eps)
    return p, s
