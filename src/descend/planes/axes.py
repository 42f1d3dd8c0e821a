"""Axes of a grid: values, the scale they are drawn on, and the precision that can tell them apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError

__all__ = ["Axis", "as_axis", "linspace", "logspace", "precision", "whole"]


@dataclass(frozen=True)
class Axis:
    """One axis of a grid: its values, and the scale it is drawn on."""

    values: NDArray[np.float64]
    scale: str = "linear"

    def __len__(self) -> int:
        return len(self.values)


def logspace(low: float, high: float, n: int = 256) -> Axis:
    """`n` values from low to high, evenly spaced in their logarithm.

    >>> logspace(0.01, 1, 3).values
    array([0.01, 0.1 , 1.  ])
    """
    if not (0 < low < math.inf and 0 < high < math.inf):
        raise DescendError(f"a logarithmic axis runs between two positive numbers; got {low:g} to {high:g}")
    return Axis(np.geomspace(low, high, whole(n, "the number of values of an axis")), "log")


def linspace(low: float, high: float, n: int = 256) -> Axis:
    """`n` evenly spaced values from low to high.

    >>> linspace(0, 1, 3).values
    array([0. , 0.5, 1. ])
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise DescendError(f"an axis runs between two finite numbers; got {low:g} to {high:g}")
    return Axis(np.linspace(low, high, whole(n, "the number of values of an axis")), "linear")


def whole(value: Any, what: str) -> int:
    """A whole number of at least 1, or a `DescendError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise DescendError(f"{what} must be a whole number of at least 1; got {value!r}")
    return int(value)


def as_axis(name: str, values: Any) -> Axis:
    """Any list of numbers as an axis."""
    if isinstance(values, Axis):
        return values
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise DescendError(f"the axis {name} needs a list of finite numbers; got {values!r}")
    return Axis(array)


def precision(dtype: str | None, grid: Mapping[str, Axis]) -> np.dtype[Any]:
    """The precision asked for, or float32 while it can tell neighbouring grid values apart, else float64."""
    if dtype is not None:
        if dtype not in ("float32", "float64"):
            raise DescendError(f"dtype is 'float32' or 'float64'; got {dtype!r}")
        return np.dtype(dtype)
    for axis in grid.values():
        if len(np.unique(axis.values.astype(np.float32))) < len(np.unique(axis.values)):
            return np.dtype(np.float64)
    return np.dtype(np.float32)
