"""An author's gradient beside finite differences, before a descent follows it."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from descend.errors import DescendError

if TYPE_CHECKING:
    from descend.gradients import GradientCheck

__all__ = ["checked_gradient"]

#: Seconds that checking may take, and evaluations of the function it makes: for one slope, and for each coordinate.
MOMENT = 0.5
FIRST, EACH = 10, 10


def checked_gradient(goal: Any, start: Any) -> GradientCheck | None:
    """The verdict on the author's gradient at the start; None where there is none, or nothing can be said.

    A wrong gradient is told and used all the same: a subgradient or an estimate may be meant, and what a mistake does to a
    descent is worth seeing. Where checking each coordinate of a slow function would take longer than a moment, the slope along
    the gradient itself is checked; where that would too, nothing is.
    """
    if goal.grad is None:
        return None
    from descend.gradients import check_gradient

    try:
        begun = time.perf_counter()
        value = np.asarray(goal.fun(start), dtype=np.float64)
        allowed = MOMENT / max(time.perf_counter() - begun, 1e-9)
        if value.size != 1 or not np.all(np.isfinite(value)):
            return None
        if FIRST + EACH * min(np.size(start), 200) <= allowed:
            return _named(check_gradient(goal.fun, goal.grad, start), goal)
        return _along(goal, np.asarray(start, dtype=np.float64)) if allowed >= FIRST + EACH else None
    except (DescendError, TypeError, ValueError):  # the descent itself will say it
        return None


def _along(goal: Any, start: Any) -> GradientCheck | None:
    """The slope of the function along the gradient: it should be the gradient's length."""
    from descend.gradients import check_gradient
    from descend.gradients.layout import number

    slope = np.asarray(goal.grad(start), dtype=np.float64)
    length = float(np.linalg.norm(slope))
    if not 0 < length < math.inf:
        return None
    found = check_gradient(lambda t: goal.fun(start + t[0] * slope / length), np.array([length]), np.zeros(1))
    (measured,) = found.coordinates
    said = f"along it the function rises by {number(measured.central)} a unit, where its length says {number(length)}"
    return replace(found, message=said, coordinates=(), total=0) if found.ok is False else found


def _named(found: GradientCheck, goal: Any) -> GradientCheck:
    """The same with the coordinates called what the run calls them."""
    names = goal.variables or [f"p[{i}]" for i in range(found.total)]
    message = found.message
    for c, name in zip(found.coordinates, names, strict=False):
        message = message.replace(c.name, name)
    coordinates = tuple(replace(c, name=name) for c, name in zip(found.coordinates, names, strict=False))
    return replace(found, message=message, coordinates=coordinates) if len(coordinates) == found.total else found
