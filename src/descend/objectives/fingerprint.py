"""Whether a function still computes what it did: told from its code and from every value that its code refers to.

To trace a function takes milliseconds, to look at it microseconds. What is equal under `fingerprint` computes the same, so
that what was made of one serves the other: the same function again, an equal lambda of another round of a loop, a cell of a
notebook that is run again. Where a value might be changed, or read in a way that is not seen here, there is no fingerprint.
"""

from __future__ import annotations

import builtins
import dis
import functools
import hashlib
import sys
import types
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["fingerprint"]

#: Libraries whose functions do not change and keep no state that a loss might read; but see DRAWS.
STEADY = frozenset({"jax", "jaxlib", "numpy", "math", "cmath", "operator", "functools", "builtins", "optax", "descend"})
#: What reads more than its arguments all the same. JAX's `random` does not.
DRAWS = frozenset({"random", "load", "loadtxt", "genfromtxt", "fromfile", "fromregex", "memmap", "config", "debug"})
#: Builtins that depend on their arguments alone, errors apart.
PURE = frozenset(
    {
        *(
            abs,
            all,
            any,
            bool,
            complex,
            dict,
            divmod,
            enumerate,
            filter,
            float,
            frozenset,
            hasattr,
            int,
            isinstance,
            issubclass,
        ),
        *(len, list, map, max, min, pow, range, reversed, round, set, slice, sorted, str, sum, tuple, type, zip),
    }
)
#: What code does beside computing: it writes to what others may read.
WRITES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR", "STORE_NAME", "DELETE_NAME"})
READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
PLAIN = frozenset({type(None), bool, int, str, bytes, complex, type(Ellipsis)})
#: Most items of a collection, bytes of an array, and values within values that are looked at.
MANY, LARGE, DEEP = 64, 1 << 20, 12
#: Bytes above which a digest stands for them.
SHORT = 256


class _UnknownError(Exception):
    """Nothing can be said of a value."""


class _Same:
    """A thing by its identity; kept, so that no other takes its place."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


def fingerprint(function: Any) -> Any:
    """What equals another function's only if both compute the same; None where that cannot be told.

    >>> def times(k):
    ...     return lambda x: k * x
    >>> fingerprint(times(2)) == fingerprint(times(2)), fingerprint(times(2)) == fingerprint(times(3))
    (True, False)
    >>> fingerprint(times(iter([2]))) is None
    True
    """
    if not callable(function):
        return None
    try:
        return _value(function, (), jitted=False)
    except (_UnknownError, ValueError):  # a cell that is empty yet
        return None


def _steady(module: object) -> bool:
    name = str(module)
    return name.partition(".")[0] in STEADY and not name.startswith("numpy.random")


def _part_of_a_library(x: Any) -> bool:
    """Whether it is found under its own name in a module of a steady library."""
    home, name = getattr(x, "__module__", None), getattr(x, "__name__", None)
    return _steady(home) and isinstance(name, str) and getattr(sys.modules.get(str(home)), name, None) is x


def _value(x: Any, within: tuple[int, ...], jitted: bool) -> Any:
    """A value as something that can be compared; `within` are the values it was reached through."""
    kind = type(x)
    if kind in PLAIN:
        return kind, x
    if kind is float:
        return kind, x.hex()  # -0.0 is not 0.0
    if id(x) in within:
        return "around", within.index(id(x))
    if len(within) > DEEP:
        raise _UnknownError
    within = (*within, id(x))
    if kind is types.FunctionType:
        return _function(x, within, jitted)
    if isinstance(x, types.ModuleType):
        if _steady(x.__name__):
            return _Same(x)
        raise _UnknownError
    if kind is tuple or kind is list:
        return kind, *_all(x, within, jitted)
    if kind is dict:
        return kind, *_all(x.keys(), within, jitted), *_all(x.values(), within, jitted)
    if isinstance(x, np.ndarray | np.generic):
        return _array(x, jitted)
    if isinstance(x, np.dtype):
        return np.dtype, x.str
    if kind is functools.partial:
        return kind, *_all((x.func, x.args, x.keywords), within, jitted)
    return _foreign(x, within, jitted)


def _all(values: Iterable[Any], within: tuple[int, ...], jitted: bool) -> list[Any]:
    many = list(values)
    if len(many) > MANY:
        raise _UnknownError
    return [_value(v, within, jitted) for v in many]


def _array(x: Any, jitted: bool) -> Any:
    """A NumPy array by what stands in it. What a jitted function closes over stays within it, and might be changed there."""
    if type(x) is not np.ndarray and not isinstance(x, np.generic):
        raise _UnknownError
    if x.dtype.hasobject or x.nbytes > LARGE or (jitted and isinstance(x, np.ndarray)):
        raise _UnknownError
    data = x.tobytes()
    return x.shape, x.dtype.str, data if len(data) <= SHORT else hashlib.sha256(data).digest()


def _foreign(x: Any, within: tuple[int, ...], jitted: bool) -> Any:
    """Things of libraries: JAX's arrays, which do not change, what is part of a library, jitted functions."""
    if _part_of_a_library(x):
        return _Same(x)
    if type(x).__module__.partition(".")[0] in ("jax", "jaxlib"):
        import jax

        if isinstance(x, jax.Array) and not isinstance(x, jax.core.Tracer):
            return _Same(x)
        if type(x).__name__ == "PjitFunction":
            return _Same(x), _value(x.__wrapped__, within, True)
    raise _UnknownError


def _function(f: types.FunctionType, within: tuple[int, ...], jitted: bool) -> Any:
    if _part_of_a_library(f):
        return _Same(f)
    closed = _all([cell.cell_contents for cell in f.__closure__ or ()], within, jitted)
    own = [_value(v, within, jitted) for v in (f.__defaults__, f.__kwdefaults__)]
    parts = [f.__code__, f.__name__, *closed, *own]
    space = f.__globals__
    if _steady(space.get("__name__")):
        return tuple(parts)  # made by a library around somebody's function: what it refers to by name is the library's
    parts.append(_value(f.__dict__, within, jitted))
    names = _names(f.__code__)
    if names is None:
        raise _UnknownError
    for name in names:
        if name in space:
            parts.append((name, _value(space[name], within, jitted)))
        elif not _pure(getattr(builtins, name, None)):
            raise _UnknownError
    return tuple(parts)


def _pure(x: Any) -> bool:
    return x in PURE or (isinstance(x, type) and issubclass(x, Exception))


@lru_cache(maxsize=1024)
def _names(code: types.CodeType) -> tuple[str, ...] | None:
    """The global names that code refers to, inner functions' included; None where it does more than compute."""
    found: dict[str, None] = {}
    before = ""
    for step in dis.get_instructions(code):
        name, what = str(step.argval), step.opname
        foreign = what == "IMPORT_NAME" and not _steady(name)
        draws = what in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM") and name in DRAWS and (name, before) != ("random", "jax")
        if what in WRITES or foreign or draws:
            return None
        if what in READS:
            found[name] = None
        before = name
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            inner = _names(const)
            if inner is None:
                return None
            found.update(dict.fromkeys(inner))
    return tuple(found)
