"""In the child process: every array an optimizer keeps, wherever it keeps it."""

from __future__ import annotations

import contextlib
import functools
import types
from collections import deque
from collections.abc import Iterator
from itertools import islice
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
    left = deque([(root, "", 0)])
    known: dict[int, Any] = {}  # held, so that no other object gets the number of one that is gone
    while left and len(known) < MOST:
        value, path, depth = left.popleft()
        if isinstance(value, OPAQUE) or id(value) in known:
            continue
        known[id(value)] = value
        numbers = _numbers(value)
        if numbers is not None:
            if 1 < numbers.size <= most:
                found[path] = np.asarray(numbers, dtype=np.float64).ravel().tolist()
        elif depth < DEPTH:
            try:
                inside = list(islice(_inside(value), MOST))
            except Exception:
                continue
            left += [(inner, f"{path}.{name}" if path else name, depth + 1) for name, inner in inside]
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
    elif isinstance(value, list | tuple | deque):
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
        yield from ((n, v) for n, v in _own(value).items() if n not in SKIPPED)


def _own(value: Any) -> dict[str, Any]:
    """The attributes in an object's dict, and in slots of its class and of those it comes from; no code of its own runs."""
    try:
        found = dict(object.__getattribute__(value, "__dict__"))
    except AttributeError:
        found = {}
    for cls in type(value).__mro__:
        for name, member in vars(cls).items():
            if isinstance(member, types.MemberDescriptorType):
                with contextlib.suppress(AttributeError):  # not set
                    found.setdefault(name, member.__get__(value))
    return found


def _of_function(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function closes over, its own attributes, and the data among its module's names that it uses."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue  # not assigned yet
    yield from vars(function).items()
    yield from ((f"default {i}", inner) for i, inner in enumerate(function.__defaults__ or ()))
    yield from (function.__kwdefaults__ or {}).items()
    for name in function.__code__.co_names:
        inner = function.__globals__.get(name)
        if isinstance(inner, dict | list | np.ndarray):
            yield name, inner
