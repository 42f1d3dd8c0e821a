"""Schedules: a hyperparameter as a function of the number of updates made so far.

A schedule stands where a number could: `adam(lr=cosine(0.1, steps=1000))`. It is evaluated outside the compiled loop, so
that a new schedule never recompiles anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Schedule", "constant"]


@dataclass(frozen=True)
class Schedule:
    """A value per step. Calling it with a step, or an array of steps, gives float64 values of the same shape."""

    name: str
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    def __call__(self, step: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(self.function(np.asarray(step, dtype=np.float64)), dtype=np.float64)

    def __repr__(self) -> str:
        return self.name


def constant(value: float) -> Schedule:
    """The same value at every step.

    >>> constant(0.1)([0, 1, 2])
    array([0.1, 0.1, 0.1])
    """
    return Schedule(f"constant({value:g})", lambda t: np.full_like(t, value))
