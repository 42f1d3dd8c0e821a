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
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

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
#: Instructions that read an attribute. Of others with a name LOAD_GLOBAL alone is harmless, in any version of Python.
ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
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

    >>> twice, again, thrice = (eval(f"lambda x: {k} * x", {}) for k in (2, 2, 3))
    >>> fingerprint(twice) == fingerprint(again), fingerprint(twice) == fingerprint(thrice)
    (True, False)
    >>> fingerprint(eval("lambda x: next(x)", {})) is None
    True
    """
    if type(function) is not types.FunctionType and type(function).__name__ != "PjitFunction":
        return None
    look = _Look()
    try:
        told = look.value(function)
        return None if look.lists and look.appends else told  # it may be that list, and that it grows is all it is for
    except Exception:  # whatever somebody's objects raise: a function without a fingerprint is traced as ever
        return None


class _Look:
    """One function looked at: the values met so far, by identity, and the bytes of their arrays."""

    def __init__(self) -> None:
        #: By identity; held, so that nothing made on the way takes the place of another.
        self.met: dict[int, tuple[int, Any]] = {}
        self.looks, self.left = 0, LARGE
        #: Within a jitted function, which JAX traces when it likes: it may refer to what cannot change, and to that alone.
        self.jitted = False
        #: A list or a dict was met; a list is lengthened somewhere.
        self.lists = self.appends = False

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
            return "met", self.met[id(x)][0]
        self.met[id(x)] = len(self.met), x
        if kind is types.FunctionType:
            return self.function(x)
        if kind is tuple:
            return kind, *self.all(x)
        if kind is list or kind is dict:
            self.lists = True
            return kind, *self.all(x if kind is list else x.items())
        if kind is np.ndarray or isinstance(x, np.generic):
            return self.array(x)
        if kind is functools.partial:
            return kind, *self.all((x.func, x.args, *x.keywords.items(), *x.__dict__.items()))
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
        if x.dtype.hasobject or self.left < 0:
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
        parts = [f.__code__, f.__name__, self.value(f.__defaults__), *self.all((f.__kwdefaults__ or {}).items())]
        cells = dict(zip(f.__code__.co_freevars, (cell.cell_contents for cell in f.__closure__ or ()), strict=True))
        if _steady(str(f.__globals__.get("__name__"))):
            if _steady(str(f.__module__)):
                raise _UnknownError
            # made by a library around somebody's function: what it refers to by name is the library's
            return *parts, *self.all(cells.values())
        code = _read(f.__code__)
        if code is None or f.__globals__.get("__builtins__", builtins) not in (builtins, builtins.__dict__):
            raise _UnknownError
        self.appends = self.appends or code.appends
        parts.append(self.value(f.__dict__) if f.__dict__ else None)
        parts += [self.reached(cells[name], attributes) for name, *attributes in code.cells if name in cells]
        for name, *attributes in code.globals:
            if name in f.__globals__:
                parts.append((name, self.reached(f.__globals__[name], attributes)))
            elif not _pure(getattr(builtins, name, None)):
                raise _UnknownError
        return tuple(parts)

    def reached(self, x: Any, attributes: Sequence[str]) -> Any:
        """What stands at the end of a chain of attributes, as far as it leads through modules."""
        for name in attributes:
            if type(x) is types.ModuleType:
                if not _steady(x.__name__) or sys.modules.get(x.__name__) is not x:
                    raise _UnknownError
                x = getattr(x, name)
            else:
                if not isinstance(x, type) and name in getattr(x, "__dict__", ()):  # somebody's, put there
                    raise _UnknownError
                break
        if self.jitted and type(x) is not types.FunctionType and not _part_of_a_library(x):
            raise _UnknownError
        return self.value(x)


@lru_cache(maxsize=1024)
def _steady(module: str) -> bool:
    parts = module.split(".")
    drawn = module.startswith(("jax.random", "jax._src.random"))
    return drawn or (parts[0] in STEADY and UNSTEADY.isdisjoint(parts))


def _part_of_a_library(x: Any) -> bool:
    """Whether it is found under its own name in a module of a steady library, or is a builtin that only computes."""
    home, name = getattr(x, "__module__", None), getattr(x, "__name__", None)
    if home == "builtins":
        return _pure(x)
    if not isinstance(home, str) or not isinstance(name, str) or name in UNSTEADY or not _steady(home):
        return False
    return getattr(sys.modules.get(home), name.rpartition(".")[2], None) is x


def _pure(x: Any) -> bool:
    return x in PURE or (isinstance(x, type) and issubclass(x, Exception) and x.__module__ == "builtins")


class _Code(NamedTuple):
    """What code refers to by name, inner functions' included: each name with the attributes that follow it at once."""

    globals: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[str, ...], ...]
    #: It lengthens some list, of its own or not.
    appends: bool


@lru_cache(maxsize=1024)
def _read(code: types.CodeType) -> _Code | None:
    """What code refers to; None where it may do more than compute."""
    chains: dict[str, list[list[str]]] = {"LOAD_GLOBAL": [], "LOAD_DEREF": []}
    chain: list[str] | None = None
    appends = False
    for step in dis.get_instructions(code):
        name, what = str(step.argval), step.opname
        if what == "EXTENDED_ARG":
            continue
        if what in ATTRIBUTES:
            jaxs = chain == ["jax"] and name == "random"
            if name in CHANGES or name.startswith("__") or (name in UNSTEADY and not jaxs):
                return None
            appends = appends or name in ("append", "extend")
            if chain is not None:
                chain.append(name)
            continue
        chain = None
        if what in chains:
            chain = [name]
            chains[what].append(chain)
        elif step.opcode in dis.hasname or what in WRITES or (what.endswith("_DEREF") and name in code.co_freevars):
            return None
    inner = [_read(const) for const in code.co_consts if isinstance(const, types.CodeType)]
    parts = [found for found in inner if found is not None]
    if len(parts) < len(inner):
        return None
    names, cells = ({tuple(c): None for c in chains[k]} for k in ("LOAD_GLOBAL", "LOAD_DEREF"))
    for part in parts:
        names.update(dict.fromkeys(part.globals))
        cells.update(dict.fromkeys(part.cells))
    return _Code(tuple(names), tuple(cells), appends or any(part.appends for part in parts))
