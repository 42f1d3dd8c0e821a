"""What runs a descent: one compiled JAX program, or the same steps one by one in Python for what JAX cannot trace.

An engine holds the parameters and the optimizer's state. `advance(n)` makes n updates and returns a row for each point it
left; `peek()` returns the row of the point it stands on; `rewind(k)` goes back to where only k of the last n were made. Stop
rules are judged on the rows, outside: the compiled loop does nothing but evaluate, record and update, and XLA turns so small
a loop into one function, some twenty times faster on a CPU than an operation at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.rules import Optimizer

__all__ = ["CAPACITY", "Engine", "JaxEngine", "PythonEngine", "Rows", "jax_switch", "torch_gradient"]

Array = Any
Floats = NDArray[np.float64]

#: Steps one call of the compiled program can record. Any number up to it is an argument, not a new program.
CAPACITY = 4096


@dataclass
class Rows:
    """One row per point: loss, gradient norm, norm of the update made from there, and the point where it is small."""

    loss: Floats
    grad_norm: Floats
    update_norm: Floats
    point: Floats

    def __len__(self) -> int:
        return len(self.loss)

    def first(self, n: int) -> Rows:
        """The first n rows."""
        return Rows(self.loss[:n], self.grad_norm[:n], self.update_norm[:n], self.point[:n])


class Engine(Protocol):
    """Keeps a descent's parameters and state, and moves them."""

    leaves: list[Array]
    state: dict[str, Any]

    def advance(self, n: int) -> Rows:
        """Make n updates (at most CAPACITY) and return the rows of the n points left behind."""
        ...

    def peek(self) -> Rows:
        """The row of the present point; nothing moves."""
        ...

    def rewind(self, k: int) -> None:
        """Go back to where only k of the updates of the last `advance` were made."""
        ...

    def result(self) -> tuple[list[Array], dict[str, Any]]:
        """The parameters and the state as NumPy arrays."""
        ...


@contextlib.contextmanager
def jax_switch(wide: bool) -> Iterator[None]:
    """JAX in float64 for the length of a block when the start point is float64. Never yield to a caller inside it."""
    if not wide:
        yield
        return
    import jax

    with jax.enable_x64(True):
        yield


# -- JAX ------------------------------------------------------------------------------------------------------------------


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


_traced: OrderedDict[Any, Traced] = OrderedDict()
_programs: OrderedDict[Any, tuple[Any, Any]] = OrderedDict()
KEPT = 256


def _remember(cache: OrderedDict[Any, Any], key: Any, value: Any) -> Any:
    cache[key] = value
    while len(cache) > KEPT:
        cache.popitem(last=False)
    return value


def trace_objective(
    fun: Callable[[Any], Any], leaves: Sequence[Array], rebuild: Any, *, immutable: bool, stochastic: bool
) -> Traced:
    """Trace `fun`'s value and gradient for leaves of these shapes and types.

    The text of the program, not the identity of the function, is what compiled code is found by: an equal new lambda costs
    a trace, never a compilation. Functions known not to change are found by identity and cost nothing.
    """
    import jax

    signature = tuple((leaf.shape, str(leaf.dtype)) for leaf in leaves)
    key = (id(fun), signature, str(rebuild(list(range(len(leaves)))))) if immutable else None
    if key is not None and key in _traced:
        _traced.move_to_end(key)
        return _traced[key]

    def flat(values: Sequence[Array], *key: Array) -> Array:
        return fun(rebuild(list(values)), *key)

    extra = [jax.random.PRNGKey(0)] if stochastic else []
    closed = jax.make_jaxpr(jax.value_and_grad(flat))(list(leaves), *extra)
    found = Traced(closed, program_text(closed), fun, stochastic, single_precision_constants(closed))
    return found if key is None else _remember(_traced, key, found)


def program_text(closed: Any) -> str:
    """What tells one traced program from another: its text, and a digest of the arrays that the text does not show.

    Arrays closed over directly are arguments of the program and play no part. Those that an inner `jax.jit` closes over stay
    inside it, and would make two different programs look alike.
    """
    digest = hashlib.sha256()
    for array in _inner_arrays(closed.jaxpr):
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"{closed.jaxpr}\n{digest.hexdigest()}"


def _inner_arrays(jaxpr: Any) -> Iterator[NDArray[Any]]:
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
        yield from _inner_arrays(value.jaxpr)
    elif hasattr(value, "eqns"):
        yield from _inner_arrays(value)
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


def _program(traced: Traced, optimizer: Optimizer, scheduled: tuple[str, ...], points: bool) -> Callable[..., Any]:
    """The compiled loop for one objective, rule and structure."""
    import jax
    import jax.numpy as jnp

    jaxpr, elsewhere, structural = traced.closed.jaxpr, optimizer.reports_elsewhere, optimizer.structural

    def run(
        consts: Any, key: Any, leaves: list[Array], slots: Any, t: Any, n: Any, hyper: dict[str, Any], tables: dict[str, Any]
    ) -> Any:
        kind = jnp.promote_types(jnp.result_type(*leaves), jnp.float32)
        width = 1 + (2 * sum(leaf.size for leaf in leaves) if points else 2)

        def body(k: Any, carry: Any) -> Any:
            leaves, slots, book = carry
            extra = [jax.random.fold_in(key, t + k)] if traced.stochastic else []
            loss, *grads = jax.core.eval_jaxpr(jaxpr, consts, *leaves, *extra)
            shown = leaves
            if elsewhere:  # the gradient is taken at p, the loss is told at the point the rule reports
                shown = optimizer.report(leaves, {"slots": slots})
                loss, *_ = jax.core.eval_jaxpr(jaxpr, consts, *shown, *extra)
            now = structural | hyper | {name: tables[name][k] for name in scheduled}
            new, after = optimizer.step_leaves(leaves, grads, {"t": t + k, "slots": slots}, now)
            new, after = jax.tree_util.tree_map(_as_before, (leaves, slots), (new, after["slots"]))
            if points:
                row = [loss, *shown, *grads]
            else:
                row = [loss, _norm(grads), _norm([a - b for a, b in zip(new, leaves, strict=True)])]
            book = book.at[k].set(jnp.concatenate([jnp.ravel(x).astype(kind) for x in row]))
            return new, after, book

        leaves, slots = jax.tree_util.tree_map(lambda x: jnp.asarray(x, dtype=x.dtype), (leaves, slots))
        return jax.lax.fori_loop(0, n, body, (leaves, slots, jnp.zeros((CAPACITY, width), kind)))

    return jax.jit(run)


def _as_before(old: Array, new: Array) -> Array:
    import jax.numpy as jnp

    return jnp.asarray(new, dtype=old.dtype)


def _norm(arrays: Sequence[Array]) -> Array:
    import jax.numpy as jnp

    wide = [x.astype(jnp.promote_types(x.dtype, jnp.float32)) for x in arrays]
    return jnp.sqrt(sum(jnp.sum(jnp.square(x)) for x in wide))


def _slot_type(value: Any, scalar: Any) -> Any:
    """Single numbers are kept in float64 or float32, arrays in the type they have."""
    return getattr(value, "dtype", scalar) if getattr(value, "ndim", 0) else scalar


@dataclass
class JaxEngine:
    """The compiled engine."""

    fun: Callable[[Any], Any]
    rebuild: Callable[[Sequence[Any]], Any]
    optimizer: Optimizer
    leaves: list[Array]
    state: dict[str, Any]
    wide: bool
    immutable: bool = False
    stochastic: bool = False
    points: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        scalar = np.float64 if self.wide else np.float32
        slots = [{k: np.asarray(v, _slot_type(v, scalar)) for k, v in s.items()} for s in self.state["slots"]]
        self.state = {"t": int(self.state["t"]), "slots": slots}
        self._key = np.array([0, self.seed], dtype=np.uint32)
        with jax_switch(self.wide):
            self._traced = trace_objective(
                self.fun, self.leaves, self.rebuild, immutable=self.immutable, stochastic=self.stochastic
            )
            self.narrow = self._traced.narrow if self.wide else []
        optimizer = self.optimizer
        self._scheduled = tuple(sorted(optimizer.scheduled))
        fixed = {*self._scheduled, *optimizer.structural}
        self._hyper = {k: v for k, v in optimizer.hyperparameters.items() if k not in fixed}
        shapes = tuple((x.shape, x.dtype) for x in self.leaves)
        key = (self._traced.text, shapes, optimizer.structure, self._scheduled, self.points, self.wide, self.stochastic)
        if key not in _programs:
            made = _program(self._traced, optimizer, self._scheduled, self.points)
            _remember(_programs, key, (made, (self._traced.closed, optimizer)))
        _programs.move_to_end(key)
        self._run = _programs[key][0]
        self._before = (self.leaves, self.state)

    @property
    def data_size(self) -> int:
        """Numbers the objective closes over: what a step reads, beside the parameters."""
        return sum(int(np.size(const)) for const in self._traced.consts)

    def advance(self, n: int) -> Rows:
        """Make n updates (at most CAPACITY) and return the rows of the n points left behind."""
        self._before = (self.leaves, self.state)
        self.leaves, self.state, rows = self._called(n)
        return rows

    def peek(self) -> Rows:
        """The row of the present point; nothing moves."""
        return self._called(1)[2]

    def rewind(self, k: int) -> None:
        """Go back to where only k of the updates of the last `advance` were made."""
        self.leaves, self.state = self._before
        if k:
            self.leaves, self.state, _ = self._called(k)

    def _called(self, n: int) -> tuple[list[Array], dict[str, Any], Rows]:
        t = self.state["t"]
        tables = {k: self.optimizer.scheduled[k](np.arange(t, t + CAPACITY)) for k in self._scheduled}
        with jax_switch(self.wide):
            out = self._run(self._traced.consts, self._key, self.leaves, self.state["slots"], t, n, self._hyper, tables)
        leaves, slots, book = out
        return leaves, {"t": t + n, "slots": slots}, self._rows(np.asarray(np.asarray(book)[:n], dtype=np.float64))

    def _rows(self, book: Floats) -> Rows:
        if not self.points:
            return Rows(book[:, 0], book[:, 1], book[:, 2], book[:, 3:])
        width = (book.shape[1] - 1) // 2
        point, slope = book[:, 1 : 1 + width], book[:, 1 + width :]
        return Rows(book[:, 0], row_norms(slope), np.zeros(0), point)

    def result(self) -> tuple[list[Array], dict[str, Any]]:
        """The parameters and the state as NumPy arrays."""
        slots = [{k: np.asarray(v) for k, v in s.items()} for s in self.state["slots"]]
        return [np.asarray(leaf) for leaf in self.leaves], {"t": self.state["t"], "slots": slots}


def row_norms(rows: Floats) -> Floats:
    """Euclidean norm of each row; rows whose squares overflow are scaled first."""
    with np.errstate(all="ignore"):
        if rows.shape[1] <= 8:  # few columns: adding them up is faster than a reduction along short rows
            plain = np.sqrt(sum((column * column for column in rows.T), np.zeros(len(rows))))
        else:
            plain = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        huge = np.isinf(plain)
        if huge.any():
            largest = np.abs(rows[huge]).max(axis=1)
            plain[huge] = largest * np.sqrt(np.square(rows[huge] / largest[:, None]).sum(axis=1))
    return np.asarray(plain)


# -- Python ---------------------------------------------------------------------------------------------------------------


@dataclass
class PythonEngine:
    """The same descent, a step at a time, for a value-and-gradient function on NumPy arrays."""

    value_and_grad: Callable[[list[Array]], tuple[float, list[Array]]]
    optimizer: Any
    leaves: list[Array]
    state: dict[str, Any]
    points: bool = True

    def __post_init__(self) -> None:
        self._history: list[tuple[list[Array], dict[str, Any]]] = []

    def advance(self, n: int) -> Rows:
        """Make n updates and return the rows of the n points left behind; stops early where a value is not finite."""
        rows: list[Any] = []
        self._history = []
        with np.errstate(all="ignore"):
            for _ in range(n):
                loss, grads, row = self._evaluate()
                self._history.append((self.leaves, self.state))
                rows.append(row)
                if not math.isfinite(loss):
                    break
                hyper = self.optimizer.at_step(int(self.state["t"]))
                old = self.leaves
                self.leaves, self.state = self.optimizer.step_leaves(old, grads, self.state, hyper)
                row[2] = _numpy_norm([a - b for a, b in zip(self.leaves, old, strict=True)])
        return self._rows(rows)

    def peek(self) -> Rows:
        """The row of the present point; nothing moves."""
        with np.errstate(all="ignore"):
            return self._rows([self._evaluate()[2]])

    def rewind(self, k: int) -> None:
        """Go back to where only k of the updates of the last `advance` were made."""
        if k < len(self._history):
            self.leaves, self.state = self._history[k]

    def _rows(self, rows: list[Any]) -> Rows:
        loss, size, step = (np.array([r[i] for r in rows], dtype=np.float64) for i in range(3))
        return Rows(loss, size, step, np.array([r[3] for r in rows], dtype=np.float64))

    def _evaluate(self) -> tuple[float, list[Array], list[Any]]:
        loss, grads = self.value_and_grad(self.leaves)
        for leaf, grad in zip(self.leaves, grads, strict=True):
            if np.shape(grad) != np.shape(leaf):
                raise DescendError(
                    f"the gradient has shape {np.shape(grad)} where the parameter has {leaf.shape}; they must match"
                )
        grads = [np.asarray(g, dtype=leaf.dtype) for g, leaf in zip(grads, self.leaves, strict=True)]
        shown = self.leaves
        if self.optimizer.reports_elsewhere:
            shown = self.optimizer.report(self.leaves, self.state)
            loss, _ = self.value_and_grad(shown)
        point = np.concatenate([np.asarray(x, np.float64).ravel() for x in shown]) if self.points else np.zeros(0)
        return loss, grads, [loss, _numpy_norm(grads), math.nan, point]

    def result(self) -> tuple[list[Array], dict[str, Any]]:
        """The parameters and the state as NumPy arrays."""
        slots = [{k: np.asarray(v) for k, v in s.items()} for s in self.state["slots"]]
        return [np.asarray(leaf) for leaf in self.leaves], {"t": int(self.state["t"]), "slots": slots}


def _numpy_norm(arrays: Sequence[Array]) -> float:
    return float(row_norms(np.concatenate([np.asarray(x, dtype=np.float64).ravel() for x in arrays])[None])[0])


def jax_gradient(fun: Callable[[Any], Any], rebuild: Any) -> Callable[[list[Array]], tuple[float, list[Array]]]:
    """Value and gradient of a JAX function, on NumPy arrays."""
    import jax

    both = jax.jit(jax.value_and_grad(lambda leaves: fun(rebuild(leaves))))

    def value_and_grad(leaves: list[Array]) -> tuple[float, list[Array]]:
        with jax_switch(any(np.asarray(leaf).dtype == np.float64 for leaf in leaves)):
            value, grads = both([np.asarray(leaf) for leaf in leaves])
            return float(value), [np.asarray(g) for g in grads]

    return value_and_grad


def torch_gradient(fun: Callable[[Any], Any], rebuild: Any) -> Callable[[list[Array]], tuple[float, list[Array]]]:
    """Value and gradient of a torch function, on NumPy arrays."""
    import torch

    def value_and_grad(leaves: list[Array]) -> tuple[float, list[Array]]:
        tensors = [torch.tensor(leaf, requires_grad=True) for leaf in leaves]
        value = fun(rebuild(tensors))
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            got = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
            raise DescendError(f"the objective must return one number as a torch tensor; it returned {got}")
        grads = torch.autograd.grad(value, tensors, allow_unused=True)
        return float(value.detach()), [
            np.zeros_like(leaf) if g is None else g.detach().numpy() for g, leaf in zip(grads, leaves, strict=True)
        ]

    return value_and_grad
