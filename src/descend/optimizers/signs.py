"""Rules whose step ignores the size of the gradient."""

from __future__ import annotations

from typing import Any

from descend.arrays import sign
from descend.rules import ZERO, rule

__all__ = ["lion", "signsgd"]

Array = Any


@rule(
    m=ZERO.only("momentum"),
    title="Sign SGD",
    paper="Bernstein et al. 2018, algorithm 1; with momentum: Signum, algorithm 2",
    convention="sign(0) = 0; with momentum the sign is taken of a running mean",
    fixes="Gradients of unknown size: every coordinate moves by exactly lr.",
    avoid="Near a minimum at a constant rate: it hovers within lr of it for ever.",
    usual_lr="1e-4 to 1e-3, falling",
    kind="sign",
    bounds={"momentum": (0.0, 1.0, True, False)},
    meanings={
        "momentum": "share of the mean gradient kept; 0 is without",
    },
)
def signsgd(g: Array, p: Array, s: Any, *, lr: float = 1e-3, momentum: float = 0.0) -> Any:
    """A step of length lr in each coordinate, against the sign of the gradient."""
    s.m = momentum * s.m + (1 - momentum) * g
    p = p - lr * sign(s.m)
    return p, s


@rule(
    m=ZERO,
    title="Lion",
    paper="Chen et al. 2023, algorithm 2",
    convention="optax.lion: beta1 mixes what the sign is taken of, beta2 the memory; the decay is decoupled and times lr",
    fixes="Adam's memory: half the state, steps of equal size in every coordinate.",
    avoid="Small batches and Adam's rate: it wants a rate 3 to 10 times smaller and a decay as much larger.",
    usual_lr="1e-4",
    kind="sign",
    meanings={
        "beta1": "share of the memory in what the sign is taken of",
        "beta2": "share of the memory kept from step to step",
    },
)
def lion(
    g: Array, p: Array, s: Any, *, lr: float = 1e-4, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.0
) -> Any:
    """The sign of an interpolation between the memory and the gradient."""
    c = beta1 * s.m + (1 - beta1) * g
    p = p - lr * (sign(c) + weight_decay * p)
    s.m = beta2 * s.m + (1 - beta2) * g
    return p, s
