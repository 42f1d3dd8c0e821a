"""The few array functions a rule may use, on NumPy, JAX and torch arrays and on plain numbers alike.

Operators, `abs()` and powers need nothing; these are the rest. A rule is written once because of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from array_api_compat import array_namespace

__all__ = ["all_finite", "cos", "maximum", "mean", "minimum", "norm", "sign", "sqrt", "total", "where"]

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


sqrt = _elementwise("sqrt", math.sqrt)
cos = _elementwise("cos", math.cos)
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
    """`a` where the condition holds, else `b`, elementwise."""
    if isinstance(condition, bool):
        return a if condition else b
    space = array_namespace(condition)
    return space.where(condition, a, b)


def total(x: Array, axis: int | None = None) -> Array:
    """Sum over all elements, or over one axis, which is kept with length 1."""
    return array_namespace(x).sum(x, axis=axis, keepdims=axis is not None)


def mean(x: Array, axis: int | None = None) -> Array:
    """Mean over all elements, or over one axis, which is kept with length 1."""
    return array_namespace(x).mean(x, axis=axis, keepdims=axis is not None)


def norm(x: Array) -> Array:
    """Euclidean norm over all elements."""
    return sqrt(total(x * x))


def all_finite(x: Array) -> Array:
    """Whether every element is finite."""
    space = array_namespace(x)
    return space.all(space.isfinite(x))
