"""Where a descent starts: the start a user gave as arrays, how to put them back together, and names of the coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.engine import jax_switch
from descend.errors import DescendError
from descend.judging import plural
from descend.objectives import Objective
from descend.objectives.pythonfile import why_not_traceable
from descend.trace import Trace
from descend.trees import flatten

__all__ = ["POINT_LIMIT", "plain_point", "seed_number", "start_arrays", "why_not_jax"]

#: Points are kept for descents of at most this many numbers.
POINT_LIMIT = 32


def seed_number(value: Any) -> int:
    """The seed as a whole number, or a `DescendError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < 2**32:
        raise DescendError(f"a seed is a whole number from 0 to 4,294,967,295; got {value!r}")
    return int(value)


def start_arrays(
    goal: Objective, start: Any, resume: Trace | None
) -> tuple[list[NDArray[Any]], Callable[[Any], Any], tuple[str, ...]]:
    """The start as arrays, how to put them back together, and names of the coordinates where there are few."""
    if resume is not None:
        if start is not None:
            raise DescendError("a resumed descent starts where the trace ended; give either start or resume")
        start = resume.point
    if start is None:
        start = goal.start
    if _plainly_right(start, goal):
        return [start], _first, goal.variables
    if start is None:
        raise DescendError(f"a start point is needed: one number for each of {', '.join(goal.variables) or 'the parameters'}")
    if isinstance(start, list | tuple) and all(isinstance(v, int | float | np.number) for v in start):
        start = np.array(start, dtype=np.float64)
    if goal.variables and isinstance(start, Mapping) and set(start) == set(goal.variables):
        start = np.array([start[name] for name in goal.variables])
    raw, rebuild = flatten(start)
    leaves = [_float_array(leaf) for leaf in raw]
    if goal.variables:
        leaves, rebuild = [_one_array(goal, start, leaves)], _first
    for leaf in leaves:
        if not np.all(np.isfinite(leaf.astype(np.float64))):
            raise DescendError(f"the start point must be finite; got {np.array2string(leaf, threshold=8)}")
    size = sum(leaf.size for leaf in leaves)
    if not size:
        raise DescendError("the start point has no numbers; give at least one")
    if size > POINT_LIMIT:
        return leaves, rebuild, ()
    return leaves, rebuild, goal.variables or _coordinate_names(leaves)


def _plainly_right(start: Any, goal: Objective) -> bool:
    """Whether it is one array as it should be: most are, and a short descent takes no longer than the questions below."""
    if type(start) is not np.ndarray or start.dtype != np.float64 or start.shape != (len(goal.variables),):
        return False
    return 0 < start.size <= POINT_LIMIT and math.isfinite(sum(start.tolist()))


def _one_array(goal: Objective, start: Any, leaves: list[NDArray[Any]]) -> NDArray[Any]:
    """The start of an objective with named variables: one number for each, in one array."""
    needed = len(goal.variables)
    if len(leaves) == 1 and np.atleast_1d(leaves[0]).shape == (needed,):
        return np.atleast_1d(leaves[0])
    if isinstance(start, Mapping):
        got = f"the start names {', '.join(map(str, start)) or 'none'}"
    elif len(leaves) == 1 and leaves[0].ndim < 2:
        got = f"the start has {plural(leaves[0].size, 'number')}"
    else:
        got = "the start is nested"
    names = f"{plural(needed, 'variable')} ({', '.join(goal.variables)})"
    raise DescendError(f"{goal.name} has {names} and starts at one number for each; {got}")


def _first(leaves: Any) -> Any:
    return leaves[0]


def _float_array(value: Any) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise DescendError(f"the start point must be numbers; {error}") from None
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if "float" not in str(array.dtype):
        raise DescendError(f"the start point must be real numbers; got an array of {array.dtype}")
    return array


def _coordinate_names(leaves: list[NDArray[Any]]) -> tuple[str, ...]:
    names = []
    for number, leaf in enumerate(leaves):
        stem = "p" if len(leaves) == 1 else f"p{number}"
        names += [stem + (f"[{','.join(map(str, index))}]" if index else "") for index in np.ndindex(leaf.shape)]
    return tuple(names)


def plain_point(leaves: list[NDArray[Any]], variables: tuple[str, ...]) -> Any:
    """The start as plain numbers, where there are few."""
    if not variables:
        return None
    return [float(v) for leaf in leaves for v in leaf.ravel().tolist()]


def why_not_jax(goal: Objective, params: Any, wide: bool, error: Exception) -> str | None:
    """Why JAX could not trace the objective, or None where the objective itself raised."""
    fun: Any = goal.fun
    seen = replace(goal, fun=lambda p: fun(p, np.zeros(2, np.uint32))) if goal.stochastic else goal
    with jax_switch(wide):
        try:
            reason = why_not_traceable(seen, params)
        except Exception:
            return None
    if reason is None and isinstance(error, TypeError) and "real-valued" in str(error):
        return f"{goal.name} must return a real number; it returned whole or complex numbers, which have no gradient"
    return reason
