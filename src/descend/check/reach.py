"""In the child process: every array an optimizer keeps, wherever it keeps it."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["arrays_within"]

#: How deep, and how many things, are looked at.
DEPTH, MOST = 8, 4000
#: What holds no state of the optimizer's: parameters, what they are moved by, and what the session itself holds.
SKIPPED = {"params", "param_groups", "defaults", "ps", "plan", "settings", "layout", "groups", "torch", "keras", "cls", "parts"}
#: Of their objects only what they say is their state is looked at.
LIBRARIES = ("torch", "jax", "jaxlib", "keras", "numpy")
OPAQUE = (str, bytes, bool, type, types.ModuleType, np.dtype, type(None))


def arrays_within(root: Any, most: int) -> dict[str, list[float]]:
    """Arrays of 2 to `most` numbers by the way that leads to them: attributes, entries, what functions close over.

    >>> arrays_within({"m": np.ones(2), "more": [np.zeros(3), {"v": np.full(2, 4.0)}]}, 2)
    {'m': [1.0, 1.0], 'more.1.v': [4.0, 4.0]}
    """
    found: dict[str, list[float]] = {}
    left = [(root, "", 0)]
    known: set[int] = set()
    while left and len(known) < MOST:
        value, path, depth = left.pop(0)
        if isinstance(value, OPAQUE) or id(value) in known:
            continue
        known.add(id(value))
        numbers = _numbers(value)
        if numbers is not None:
            if 1 < numbers.size <= most:
                found[path] = np.asarray(numbers, dtype=np.float64).ravel().tolist()
            continue
        if depth < DEPTH:
            left += [(inner, f"{path}.{name}" if path else name, depth + 1) for name, inner in _inside(value)]
    return found


def _numbers(value: Any) -> np.ndarray | None:
    """The numbers of an array of any library; None for what is no array."""
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value) if value.dtype.kind in "fiu" else None
    if isinstance(value, int | float):
        return np.asarray(value)
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu().double().numpy()
        elif hasattr(value, "shape") and hasattr(value, "dtype"):
            value = np.asarray(value)
        else:
            return None
    except Exception:
        return None
    return value if value.dtype.kind in "fiu" else None


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        keys = list(value)
        for i, key in enumerate(keys):
            name = key if isinstance(key, str) else str(i)
            if name not in SKIPPED:
                yield name, value[key]
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from zip(value._fields, value, strict=False)
    elif isinstance(value, list | tuple):
        yield from ((str(i), inner) for i, inner in enumerate(value))
    elif isinstance(value, functools.partial):
        yield "func", value.func
        yield from ((str(i), inner) for i, inner in enumerate(value.args))
        yield from value.keywords.items()
    elif isinstance(value, types.MethodType):
        yield "self", value.__self__
    elif isinstance(value, types.FunctionType):
        yield from _of_function(value)
    elif type(value).__module__.split(".")[0] in LIBRARIES:
        yield from ((name, getattr(value, name)) for name in ("state", "variables") if hasattr(value, name))
    else:
        yield from ((n, v) for n, v in getattr(value, "__dict__", {}).items() if n not in SKIPPED)
        for name in getattr(type(value), "__slots__", ()):
            if hasattr(value, name) and name not in SKIPPED:
                yield name, getattr(value, name)


def _of_function(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function closes over, its own attributes, and the data among its module's names that it uses."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue  # not assigned yet
    yield from vars(function).items()
    for name in function.__code__.co_names:
        inner = function.__globals__.get(name)
        if isinstance(inner, dict | list | np.ndarray):
            yield name, inner
