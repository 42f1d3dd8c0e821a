"""An objective's value and gradient as a traced JAX program, and the text by which compiled code is found."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.ondata import OnData, data_of, identity

__all__ = ["Traced", "inner_arrays", "keep", "program_text", "remember", "structure_of", "trace_objective"]

Array = Any


@dataclass
class Traced:
    """An objective's value and gradient as a JAX program, with the arrays it closes over held apart."""

    closed: Any
    text: str
    fun: Any
    stochastic: bool
    #: Constants that were rounded to single precision on their way into a float64 program.
    narrow: list[float]

    @property
    def consts(self) -> list[Any]:
        return list(self.closed.consts)

    def evaluate(self, consts: Sequence[Array], *arguments: Array) -> list[Array]:
        """The objective's value, and its gradient for each leaf; `consts` are those of the program, then the data's arrays."""
        import jax

        own = len(self.closed.consts)
        found: list[Array] = jax.core.eval_jaxpr(self.closed.jaxpr, consts[:own], *consts[own:], *arguments)
        return found


_traced: OrderedDict[Any, Traced] = OrderedDict()
#: Programs kept of a kind. A compiled one takes about 3 MB, and a page tries many formulas: 256 would hold a gigabyte.
KEPT = 96


def keep(programs: int) -> None:
    """How many programs each cache keeps from now on: a compiled loop holds 3 MB, and a server runs for days."""
    global KEPT
    KEPT = programs


def remember(cache: OrderedDict[Any, Any], key: Any, value: Any) -> Any:
    """Keep a value under its key, and forget those of too many that were not kept for longest; returns the value."""
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > KEPT:
        cache.popitem(last=False)
    return value


def structure_of(rebuild: Callable[[Any], Any], n: int) -> Any:
    """What tells one tree of n leaves from another: its kinds of nodes and what they hold beside their children."""
    import jax

    return jax.tree_util.tree_structure(rebuild(list(range(n))))


def trace_objective(
    fun: Callable[[Any], Any], leaves: Sequence[Array], rebuild: Any, *, immutable: bool, stochastic: bool
) -> Traced:
    """Trace `fun`'s value and gradient for leaves of these shapes and types.

    The text of the program, not the identity of the function, is what compiled code is found by: a function that may have
    changed costs a trace and seldom a compilation. Functions known not to change are found by identity and cost nothing.
    """
    import jax

    signature = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
    key = (identity(fun), signature, structure_of(rebuild, len(leaves))) if immutable else None
    if key is not None and key in _traced:
        _traced.move_to_end(key)
        return _traced[key]

    on = fun.on if isinstance(fun, OnData) else None

    def flat(values: Sequence[Array], data: Sequence[Array], *key: Array) -> Array:
        return fun(rebuild(list(values)), *key) if on is None else on(rebuild(list(values)), *data)

    def both(data: Sequence[Array], values: Sequence[Array], *key: Array) -> Any:
        return jax.value_and_grad(flat)(values, data, *key)

    extra = [jax.random.PRNGKey(0)] if stochastic else []
    closed = jax.make_jaxpr(both)(data_of(fun), list(leaves), *extra)
    found = Traced(closed, program_text(closed), fun, stochastic, single_precision_constants(closed))
    return found if key is None else remember(_traced, key, found)


def program_text(closed: Any) -> str:
    """What tells one traced program from another: its text, and a digest of the arrays that the text does not show.

    Arrays closed over directly are arguments of the program and play no part. Those that an inner `jax.jit` closes over stay
    inside it, and would make two different programs look alike.
    """
    digest = hashlib.sha256()
    for array in inner_arrays(closed.jaxpr):
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"{closed.jaxpr}\n{digest.hexdigest()}"


def inner_arrays(jaxpr: Any) -> Iterator[NDArray[Any]]:
    """Constants held by programs nested in a program, and arrays written into its operations."""
    for equation in jaxpr.eqns:
        for operand in equation.invars:
            if hasattr(operand, "val") and np.ndim(operand.val):
                yield np.asarray(operand.val)
        for value in equation.params.values():
            yield from _inside(value)


def _inside(value: Any) -> Iterator[NDArray[Any]]:
    if hasattr(value, "jaxpr") and hasattr(value, "consts"):
        for const in value.consts:
            yield np.asarray(const)
        yield from inner_arrays(value.jaxpr)
    elif hasattr(value, "eqns"):
        yield from inner_arrays(value)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _inside(part)
    elif isinstance(value, np.ndarray) and value.ndim:
        yield value


def single_precision_constants(closed: Any) -> list[float]:
    """Constants of a float64 program that were rounded to float32 before they came into it: 0.10000000149011612 for 0.1."""
    found = [v for v in _scalars(closed.jaxpr) if _rounded_to_single(v)]
    for const in closed.consts:
        if str(const.dtype) == "float32" and np.size(const):
            found.append(float(np.ravel(np.asarray(const))[0]))
    return found


def _scalars(jaxpr: Any) -> Iterator[float]:
    for equation in jaxpr.eqns:
        for operand in equation.invars:
            if hasattr(operand, "val") and str(operand.aval.dtype) in ("float32", "float64") and not np.ndim(operand.val):
                yield float(operand.val)
        for value in equation.params.values():
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from _scalars(inner)


def _rounded_to_single(value: float) -> bool:
    """Exact in float32 although it uses most of a float32's digits: chance makes such float64 numbers once in 2^29."""
    if not math.isfinite(value) or value == int(value) or float(np.float32(value)) != value:
        return False
    mantissa = int(abs(math.frexp(value)[0]) * 2**24)
    return mantissa.bit_length() - (mantissa & -mantissa).bit_length() >= 18
