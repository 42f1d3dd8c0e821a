"""What is done around any rule: signs, clipping, weight decay, and half precision computed in single."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from descend.arrays import maximum, minimum, norm, sqrt, total

__all__ = ["cast_like", "decay", "prepare", "wide"]

Array = Any
Hyper = Mapping[str, Any]


def prepare(ps: Sequence[Array], gs: Sequence[Array], common: Hyper, hyper: Hyper) -> list[Array]:
    """The gradients as the rule is to see them: sign for maximize, clipped by value, by norm, by the norm over all arrays.

    A norm above its bound is brought to the bound, as optax does it; torch's clip_grad_norm_ adds `clip_eps=1e-6` to the norm.
    """
    eps = hyper["clip_eps"] if "clip_eps" in common else 0.0
    if "maximize" in common:
        gs = [-g for g in gs]
    if "clip_value" in common:
        gs = [_clip(g, hyper["clip_value"]) for g in gs]
    if "clip_norm" in common:
        gs = [g * _shrink(norm(g) + eps, hyper["clip_norm"]) for g in gs]
    if "clip_global_norm" in common:
        squares = [total(g * g) for g in gs]
        factor = _shrink(sqrt(sum(squares[1:], squares[0])) + eps, hyper["clip_global_norm"])
        gs = [g * factor for g in gs]
    return list(gs)


def _clip(g: Array, bound: Array) -> Array:
    return minimum(maximum(g, -bound), bound)


def _shrink(size: Array, bound: Array) -> Array:
    return bound / maximum(size, bound)


def decay(
    ps: Sequence[Array], gs: Sequence[Array], common: Hyper, hyper: Hyper, decays: Sequence[bool]
) -> tuple[list[Array], list[Array]]:
    """Weight decay around a rule that has none of its own: L2 into the gradient, or decoupled from it."""
    if "weight_decay" not in common:
        return list(ps), list(gs)
    wd = hyper["weight_decay"]
    if common.get("decoupled"):
        return [p * (1 - hyper["lr"] * wd) if d else p for p, d in zip(ps, decays, strict=True)], list(gs)
    return list(ps), [g + wd * p if d else g for g, p, d in zip(gs, ps, decays, strict=True)]


_NARROW = ("float16", "bfloat16")


def wide(x: Array) -> Array:
    """Half-precision arrays are computed on in float32 and stored in half precision."""
    if str(getattr(x, "dtype", "")).removeprefix("torch.") in _NARROW:
        return x.float() if hasattr(x, "float") else x.astype("float32")
    return x


def cast_like(x: Array, model: Array) -> Array:
    """The array in the number type of another."""
    dtype = getattr(model, "dtype", None)
    if dtype is None or getattr(x, "dtype", None) == dtype:
        return x
    if hasattr(x, "to") and hasattr(model, "to"):
        return x.to(dtype)
    return x.astype(dtype) if hasattr(x, "astype") else model * 0 + x
