"""The few array functions a rule may use, on NumPy, JAX and torch arrays and on plain numbers alike.

Operators, `abs()` and powers need nothing; these are the rest. A rule is written once because of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from array_api_compat import array_namespace

__all__ = [
    "epsilon",
    "maximum",
    "mean",
    "minimum",
    "norm",
    "orthogonalize",
    "rms",
    "sign",
    "sqrt",
    "total",
    "where",
]

Array = Any


def _elementwise(name: str, scalar: Callable[..., float]) -> Callable[..., Array]:
    def function(*args: Array) -> Array:
        for arg in args:
            if not isinstance(arg, float | int):
                return getattr(array_namespace(arg), name)(*args)
        return scalar(*args)

    function.__name__ = name
    function.__doc__ = f"Elementwise {name}."
    return function


sqrt = _elementwise("sqrt", lambda x: math.sqrt(x) if x >= 0 else math.nan)
sign = _elementwise("sign", lambda x: math.copysign(1.0, x) if x else 0.0)


def maximum(a: Array, b: Array) -> Array:
    """Elementwise maximum; either side may be a plain number."""
    return _pairwise("maximum", max, a, b)


def minimum(a: Array, b: Array) -> Array:
    """Elementwise minimum; either side may be a plain number."""
    return _pairwise("minimum", min, a, b)


def _pairwise(name: str, scalar: Callable[[float, float], float], a: Array, b: Array) -> Array:
    model = b if isinstance(a, float | int) else a
    if isinstance(model, float | int):
        return scalar(a, b)
    space = array_namespace(model)
    return getattr(space, name)(_like(space, a, model), _like(space, b, model))


def _like(space: Any, x: Array, model: Array) -> Array:
    """Plain numbers become arrays of the model's type and device, as torch asks for."""
    return space.full_like(model, x) if isinstance(x, float | int) else x


def where(condition: Array, a: Array, b: Array) -> Array:
    """`a` where the condition holds, else `b`, elementwise; `a` or `b` may be a plain number."""
    if isinstance(condition, bool):
        return a if condition else b
    model = b if isinstance(a, float | int) else a
    if isinstance(model, float | int):
        return array_namespace(condition).where(condition, a, b)
    space = array_namespace(condition, model)
    return space.where(condition, _like(space, a, model), _like(space, b, model))


def total(x: Array, axis: int | None = None) -> Array:
    """Sum over all elements, or over one axis, which is kept with length 1."""
    return array_namespace(x).sum(x, axis=axis, keepdims=axis is not None)


def mean(x: Array, axis: int | None = None) -> Array:
    """Mean over all elements, or over one axis, which is kept with length 1."""
    return array_namespace(x).mean(x, axis=axis, keepdims=axis is not None)


def norm(x: Array) -> Array:
    """Euclidean norm over all elements."""
    return sqrt(total(x * x))


def rms(x: Array) -> Array:
    """Root of the mean square over all elements."""
    return sqrt(mean(x * x))


def epsilon(x: Array) -> float:
    """The spacing of the array's number type at 1."""
    return float(array_namespace(x).finfo(x.dtype).eps)


def orthogonalize(x: Array, steps: int, a: float, b: float, c: float, eps: float) -> Array:
    """The matrix with its singular values brought to about one, by the quintic Newton–Schulz iteration.

    Each step applies the polynomial ax + bx³ + cx⁵ to the singular values. The smaller side is multiplied with itself, so a
    tall matrix is worked on as its transpose; the result is the same.
    """
    tall = x.shape[0] > x.shape[1]
    y = x.T if tall else x
    y = y / maximum(norm(y), eps)
    for _ in range(steps):
        gram = y @ y.T
        y = a * y + (b * gram + c * (gram @ gram)) @ y
    return y.T if tall else y
