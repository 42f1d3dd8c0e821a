"""Rules that rescale the step on an array to the norm of that array."""

from __future__ import annotations

from typing import Any, Literal

from descend.arrays import maximum, norm, sqrt, where
from descend.rules import POWER, SQUARE, ZERO, rule

__all__ = ["lamb", "lars"]

Array = Any
INF = float("inf")
Ratio = Literal["paper", "no_decay", "only_with_decay"]


@rule(
    b=ZERO,
    title="LARS",
    paper="You, Gitman & Ginsburg 2017, algorithm 1",
    convention="optax.lars: the decay inside the ratio of norms, the rate inside the velocity, ratio 1 where a norm is 0",
    fixes="Very large batches with momentum: each array moves in proportion to its own norm.",
    avoid="Small batches, and biases and norms, whose own size means little: give them momentum in a second group.",
    usual_lr="1 to 10, after a warm-up, at trust 1e-3",
    kind="sign",
    whole_array=True,
    degree=None,  # where p is 0 it is plain momentum
    bounds={"trust": (0.0, INF, False, False)},
    meanings={"trust": "length of a step relative to the norm of the array, before lr"},
)
def lars(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1.0,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    trust: float = 1e-3,
    eps: float = 0.0,
) -> Any:
    """Momentum whose gradients are rescaled to the norm of the array."""
    u = g + weight_decay * p
    a = norm(p)
    b = norm(u)
    ratio = where(a > 0, where(b > 0, trust * a / maximum(b + eps, 1e-30), 1.0), 1.0)
    s.b = momentum * s.b + lr * ratio * u
    p = p - s.b
    return p, s


@rule(
    m=ZERO,
    v=SQUARE,
    k1=POWER("beta1"),
    k2=POWER("beta2"),
    title="LAMB",
    paper="You et al. 2020, algorithm 2",
    convention="optax.lamb: both moments corrected, the decay inside the trust ratio, φ(x) = x, ratio 1 where a norm is 0",
    fixes="Very large batches: each array moves in proportion to its own norm.",
    avoid="Small batches and parameters that start at 0: the ratio of norms then says nothing. Any shape is allowed.",
    usual_lr="1e-3 to 1e-2",
    kind="sign",
    whole_array=True,
    meanings={
        "ratio": "where the decay stands in the trust ratio: paper, Keras or timm",
    },
)
def lamb(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    ratio: Ratio = "paper",
) -> Any:
    """Adam whose step on each array is rescaled to the norm of that array.

    Dialects: `ratio="no_decay"` decays first, apart from the trust ratio (Keras); `ratio="only_with_decay"` uses the ratio only
    where there is decay (timm).
    """
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    m_hat = s.m / (1 - s.k1)
    v_hat = s.v / (1 - s.k2)
    p = p - lr * weight_decay * p if ratio == "no_decay" else p
    r = m_hat / (sqrt(v_hat) + eps)
    u = r if ratio == "no_decay" else r + weight_decay * p
    a = norm(p)
    b = norm(u)
    trust = where(a > 0, where(b > 0, a / maximum(b, 1e-30), 1.0), 1.0)
    trust = where(weight_decay > 0, trust, 1.0) if ratio == "only_with_decay" else trust
    p = p - lr * trust * u
    return p, s
