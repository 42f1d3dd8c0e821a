"""Whether a function still computes what it did: told from its code and from every value that its code refers to.

To trace a function takes milliseconds, to look at it microseconds. What is equal under `fingerprint` computes the same, so
that what was made of one serves the other: the same function again, an equal lambda of another round of a loop, a cell of a
notebook that is run again. Only what is known to be harmless has a fingerprint; anything else has none.
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

#: Libraries whose functions do not change and keep no state that a loss might read, but for UNSTEADY.
STEADY = frozenset({"jax", "jaxlib", "numpy", "math", "cmath", "functools", "optax", "descend"})
#: Names in them of what reads more than its arguments, or calls somebody's function later than now. JAX's `random` does not.
UNSTEADY = frozenset(
    {
        *("random", "load", "loadtxt", "genfromtxt", "fromfile", "fromregex", "memmap", "config", "debug"),
        *("custom_jvp", "custom_vjp", "custom_gradient", "custom_root", "custom_linear_solve"),
        *("pure_callback", "io_callback", "callback", "call", "experimental", "lru_cache", "cache", "cached_property"),
    }
)
#: Methods that change a list, a dict or an array so that another call may change it back.
CHANGES = frozenset(
    {
        *("pop", "popitem", "clear", "remove", "reverse", "sort", "insert", "update", "setdefault"),
        *("fill", "put", "itemset", "partition", "resize", "setfield", "setflags", "byteswap"),
    }
)
#: Builtins that depend on their arguments alone, errors apart.
PURE = frozenset(
    {
        *(abs, all, any, bool, complex, dict, divmod, enumerate, filter, float, frozenset, int, isinstance, issubclass),
        *(len, list, map, max, min, pow, range, reversed, round, set, slice, sorted, str, sum, tuple, type, zip),
    }
)
#: Instructions with a name that only read. Whatever else has one, in any version of Python, writes or imports.
GLOBALS, ATTRIBUTES = frozenset({"LOAD_GLOBAL"}), frozenset({"LOAD_ATTR", "LOAD_METHOD"})
#: Those without a name that write to what others may read.
WRITES = frozenset({"STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE"})
PLAIN = frozenset({type(None), bool, int, str, bytes, type(Ellipsis)})
#: Most values looked at, items of a collection, and bytes of arrays together.
VALUES, MANY, LARGE = 2000, 64, 1 << 20
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
    if type(function) is not types.FunctionType and type(function).__name__ != "PjitFunction":
        return None
    try:
        return _Look().value(function)
    except Exception:  # whatever somebody's objects raise: a function without a fingerprint is traced as ever
        return None


class _Look:
    """One function looked at: the values met so far, by identity, and the bytes of their arrays."""

    def __init__(self) -> None:
        self.met: dict[int, int] = {}
        self.looks, self.left = 0, LARGE
        #: Within a jitted function, which keeps the arrays it closes over, and those might be changed there.
        self.jitted = False

    def value(self, x: Any) -> Any:
        """A value as something that can be compared."""
        self.looks += 1
        if self.looks > VALUES:
            raise _UnknownError
        kind = type(x)
        if kind in PLAIN:
            return kind, x
        if kind is float:
            return kind, x.hex()  # -0.0 is not 0.0
        if kind is complex:
            return kind, x.real.hex(), x.imag.hex()
        if id(x) in self.met:
            return "met", self.met[id(x)]
        self.met[id(x)] = len(self.met)
        if kind is types.FunctionType:
            return self.function(x)
        if kind is types.ModuleType:
            return _steady_module(x)
        if kind is tuple or kind is list:
            return kind, *self.all(x)
        if kind is dict:
            return kind, *self.all(x.keys()), *self.all(x.values())
        if kind is np.ndarray or isinstance(x, np.generic):
            return self.array(x)
        if kind is functools.partial:
            return kind, *self.all((x.func, x.args, x.keywords))
        return self.foreign(x)

    def all(self, values: Iterable[Any]) -> list[Any]:
        """Each of a few values."""
        many = list(values)
        if len(many) > MANY:
            raise _UnknownError
        return [self.value(v) for v in many]

    def array(self, x: Any) -> Any:
        """A NumPy array by what stands in it."""
        self.left -= x.nbytes
        if x.dtype.hasobject or self.left < 0 or (self.jitted and type(x) is np.ndarray):
            raise _UnknownError
        data = x.tobytes()
        return type(x), x.shape, x.dtype, data if len(data) <= SHORT else hashlib.sha256(data).digest()

    def foreign(self, x: Any) -> Any:
        """Things of libraries: what is part of them, JAX's arrays, which do not change, and jitted functions."""
        home = type(x).__module__.partition(".")[0]
        if home not in STEADY and home != "builtins":
            raise _UnknownError
        if isinstance(x, np.dtype):
            return np.dtype, x
        if _part_of_a_library(x):
            return _Same(x)
        if home in ("jax", "jaxlib"):
            import jax

            if isinstance(x, jax.Array) and not isinstance(x, jax.core.Tracer) and x.nbytes <= LARGE:
                return _Same(x)
            if type(x).__name__ == "PjitFunction":
                outside, self.jitted = self.jitted, True
                inner = self.value(x.__wrapped__)
                self.jitted = outside
                return _Same(x), inner
        raise _UnknownError

    def function(self, f: types.FunctionType) -> Any:
        """A function by its code and by what the code refers to."""
        if _part_of_a_library(f):
            return _Same(f)
        closed = self.all([cell.cell_contents for cell in f.__closure__ or ()])
        parts = [f.__code__, f.__name__, *closed, self.value(f.__defaults__), self.value(f.__kwdefaults__)]
        space = f.__globals__
        if _steady(str(space.get("__name__"))):
            return tuple(parts)  # made by a library around somebody's function: what it refers to by name is the library's
        parts.append(self.value(f.__dict__))
        names = _names(f.__code__)
        if names is None:
            raise _UnknownError
        for name in names:
            if name in space:
                parts.append((name, self.value(space[name])))
            elif not _pure(getattr(builtins, name, None)):
                raise _UnknownError
        return tuple(parts)


@lru_cache(maxsize=1024)
def _steady(module: str) -> bool:
    parts = module.split(".")
    drawn = module.startswith(("jax.random", "jax._src.random"))
    return drawn or (parts[0] in STEADY and UNSTEADY.isdisjoint(parts))


def _steady_module(module: types.ModuleType) -> _Same:
    if not _steady(module.__name__) or sys.modules.get(module.__name__) is not module:
        raise _UnknownError
    return _Same(module)


def _part_of_a_library(x: Any) -> bool:
    """Whether it is found under its own name in a module of a steady library, or is a builtin that only computes."""
    home, name = getattr(x, "__module__", None), getattr(x, "__name__", None)
    if home == "builtins":
        return _pure(x)
    if not isinstance(home, str) or not isinstance(name, str) or name in UNSTEADY or not _steady(home):
        return False
    return getattr(sys.modules.get(home), name, None) is x


def _pure(x: Any) -> bool:
    return x in PURE or (isinstance(x, type) and issubclass(x, Exception) and x.__module__ == "builtins")


@lru_cache(maxsize=1024)
def _names(code: types.CodeType) -> tuple[str, ...] | None:
    """The global names that code refers to, inner functions' included; None where it may do more than compute."""
    found: dict[str, None] = {}
    before, outside = "", code.co_freevars  # the variables of functions around it
    for step in dis.get_instructions(code):
        name, what = str(step.argval), step.opname
        if what in GLOBALS:
            found[name] = None
        elif what in ATTRIBUTES:
            if name in CHANGES or (name in UNSTEADY and (before, name) != ("jax", "random")):
                return None
        elif (
            step.opcode in dis.hasname
            or what in WRITES
            or (what.endswith("_DEREF") and what != "LOAD_DEREF" and name in outside)
        ):
            return None
        before = name
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            inner = _names(const)
            if inner is None:
                return None
            found.update(dict.fromkeys(inner))
    return tuple(found)
