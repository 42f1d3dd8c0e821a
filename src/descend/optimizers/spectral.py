"""Rules that treat a matrix as a matrix."""

from __future__ import annotations

import math
from typing import Any, Literal

from descend.arrays import orthogonalize
from descend.rules import ZERO, rule

__all__ = ["muon"]

Array = Any
Scale = Literal["original", "match_rms_adamw", "transposed", "none"]
INF = float("inf")


def spectral_scale(shape: tuple[int, ...], scale: Scale) -> float:
    """How much larger a step of this shape is made: the conventions of Jordan, of Moonshot, of optax, or none."""
    rows, columns = shape
    factors = {
        "original": math.sqrt(max(1.0, rows / columns)),
        "match_rms_adamw": 0.2 * math.sqrt(max(rows, columns)),
        "transposed": math.sqrt(max(1.0, columns / rows)),
        "none": 1.0,
    }
    return factors[scale]


@rule(
    b=ZERO,
    title="Muon",
    paper="Jordan et al. 2024; Liu et al. 2025 for the scale match_rms_adamw",
    convention="torch.optim.Muon: b is a running mean; five quintic Newton–Schulz steps in p's own precision (torch: bfloat16)",
    fixes="Momentum dominated by a few directions of a weight matrix: gives all its singular directions about the same length.",
    avoid="Anything but the hidden weight matrices: give vectors, embeddings and the output layer another rule in a group.",
    usual_lr="0.02 (scale original); AdamW's rate with match_rms_adamw",
    kind="sign",
    ndim=(2, "works on matrices alone: put vectors and scalars in a group with another optimizer, such as adamw"),
    most_ndim=2,
    whole_array=True,
    bounds={"ns_steps": (1, 99, True, True), "ns_a": (-INF, INF, True, True)},
    meanings={
        "scale": "how a step grows with the shape: Jordan, Moonshot, optax, or not",
        "ns_steps": "Newton–Schulz iterations",
        "ns_a": "coefficient of x in the iteration",
        "ns_b": "coefficient of x³",
        "ns_c": "coefficient of x⁵",
        "eps": "smallest norm divided by",
    },
)
def muon(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    momentum: float = 0.95,
    nesterov: bool = True,
    weight_decay: float = 0.1,
    scale: Scale = "original",
    ns_steps: int = 5,
    ns_a: float = 3.4445,
    ns_b: float = -4.775,
    ns_c: float = 2.0315,
    eps: float = 1e-7,
) -> Any:
    """Momentum whose singular values are brought to about one before the step."""
    s.b = momentum * s.b + (1 - momentum) * g
    d = (1 - momentum) * g + momentum * s.b if nesterov else s.b
    o = orthogonalize(d, ns_steps, ns_a, ns_b, ns_c, eps)
    p = p - lr * weight_decay * p
    p = p - lr * spectral_scale(p.shape, scale) * o
    return p, s
