"""What runs a descent: one compiled JAX program, or the same steps one by one in Python for what JAX cannot trace.

Both engines answer `advance(n)` with the records of up to n more steps and keep the parameters and the state in between.
Record k belongs to the point after k updates; the first call also returns record 0, that of the start.
"""

from __future__ import annotations

import contextlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.rules import Optimizer

__all__ = ["CAPACITY", "Engine", "JaxEngine", "PythonEngine", "Records", "Stop", "jax_switch"]

Array = Any
Floats = NDArray[np.float64]

#: Steps one call of the compiled program can record. Any number up to it is an argument, not a new program.
CAPACITY = 2048
#: Steps in a row that may change the loss by no more than the tolerance before the loss counts as having stopped shrinking.
QUIET = 3


@dataclass(frozen=True)
class Stop:
    """When to stop before the budget: gradient norm or change of the loss at most this, size of the loss grown this manyfold.

    Negative and infinite values switch a rule off. A value that is not finite always stops.
    """

    tol_grad: float = -1.0
    tol_loss: float = -1.0
    growth: float = math.inf


@dataclass
class Records:
    """What happened, one row per point: loss, gradient norm, norm of the update that led there, and the point."""

    loss: Floats
    grad_norm: Floats
    update_norm: Floats
    point: Floats
    reason: str = ""

    def __len__(self) -> int:
        return len(self.loss)


REASONS = ("", "not finite", "gradient", "loss", "growth")


class Engine(Protocol):
    """Keeps a descent's parameters and state, and advances them."""

    leaves: list[Array]
    state: dict[str, Any]

    def advance(self, n: int) -> Records:
        """Make up to n updates; fewer when a stop rule holds, and `reason` then says which."""
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
    found = Traced(closed, str(closed.jaxpr), fun, stochastic)
    return found if key is None else _remember(_traced, key, found)


def _program(traced: Traced, optimizer: Optimizer, scheduled: tuple[str, ...], points: bool) -> Callable[..., Any]:
    """The compiled loop for one objective, rule and structure."""
    import jax
    import jax.numpy as jnp

    jaxpr, own_at, structural = traced.closed.jaxpr, optimizer.reports_elsewhere, optimizer.structural

    def evaluate(consts: Any, key: Any, leaves: Any, state: Any) -> Any:
        extra = [jax.random.fold_in(key, state["t"])] if traced.stochastic else []
        loss, *grads = jax.core.eval_jaxpr(jaxpr, consts, *leaves, *extra)
        if own_at:  # the gradient is taken at p, the loss is told at the point the rule reports
            loss = jax.core.eval_jaxpr(jaxpr, consts, *optimizer.report(leaves, state), *extra)[0]
        return loss, grads

    def run(
        consts: Any,
        key: Any,
        leaves: Any,
        slots: Any,
        grads: Any,
        t: Any,
        n: Any,
        fresh: Any,
        hyper: Any,
        tables: Any,
        stop: Any,
        last: Any,
    ) -> Any:
        kind = jnp.result_type(*leaves) if jnp.result_type(*leaves) == jnp.float64 else jnp.float32
        width = 3 + (sum(leaf.size for leaf in leaves) if points else 0)
        books = jnp.zeros((CAPACITY + 1, width), kind)
        strong = jax.tree_util.tree_map(lambda x: jnp.asarray(x, dtype=x.dtype), (leaves, slots, grads))

        def body(carry: Any) -> Any:
            k, leaves, slots, grads, books, before, quiet, first, _ = carry
            still = fresh & (k == 0)  # the first pass only evaluates the start point
            made = jnp.where(fresh, k - 1, k)
            now = structural | hyper | {name: tables[name][made] for name in scheduled}
            state = {"t": t + made, "slots": slots}
            new, after = optimizer.step_leaves(leaves, grads, state, now)

            def keep(old: Any, value: Any) -> Any:
                return jnp.where(still, old, jnp.asarray(value, dtype=old.dtype))

            moved = [keep(old, value) for old, value in zip(leaves, new, strict=True)]
            kept = jax.tree_util.tree_map(keep, slots, after["slots"])
            loss, slopes = evaluate(consts, key, moved, {"t": jnp.where(still, t, t + made + 1), "slots": kept})
            size = _global_norm(slopes)
            step = _global_norm([a - b for a, b in zip(moved, leaves, strict=True)])
            quiet = jnp.where(jnp.abs(loss - before) <= stop[1], quiet + 1, 0)
            bad = ~(jnp.isfinite(loss) & jnp.isfinite(size))
            first = jnp.where(still, jnp.abs(loss).astype(kind), first)
            reason = jnp.where(
                bad,
                1,
                jnp.where(
                    size <= stop[0],
                    2,
                    jnp.where(quiet >= QUIET, 3, jnp.where(jnp.abs(loss) > stop[2] * jnp.maximum(first, 1), 4, 0)),
                ),
            )
            shown = optimizer.report(moved, {"slots": kept}) if own_at else moved
            numbers = [x.reshape(-1).astype(kind) for x in (loss, size, step, *(shown if points else ()))]
            books = books.at[k].set(jnp.concatenate(numbers))
            return k + 1, moved, kept, slopes, books, loss.astype(kind), quiet, first, reason

        def going(carry: Any) -> Any:
            return (carry[0] < n) & (carry[-1] == 0)

        before, quiet, first = last
        marks = (jnp.asarray(before, kind), jnp.asarray(quiet), jnp.asarray(first, kind))
        out = jax.lax.while_loop(going, body, (jnp.asarray(0), *strong, books, *marks, jnp.asarray(0)))
        k, leaves, slots, grads, books, *marks, reason = out
        return leaves, slots, grads, k, reason, tuple(marks), books

    return jax.jit(run)


def _slot_type(value: Any, scalar: Any) -> Any:
    """Single numbers are kept in float64 or float32, arrays in the type they have."""
    return getattr(value, "dtype", scalar) if getattr(value, "ndim", 0) else scalar


def _global_norm(arrays: Sequence[Array]) -> Array:
    """Euclidean norm over all arrays; where the squares overflow, the arrays are scaled first."""
    import jax
    import jax.numpy as jnp

    wide = [x.astype(jnp.promote_types(x.dtype, jnp.float32)) for x in arrays]
    plain = jnp.sqrt(sum(jnp.sum(jnp.square(x)) for x in wide))

    def scaled() -> Array:
        largest = jnp.stack([jnp.max(jnp.abs(x)) for x in wide]).max()
        return largest * jnp.sqrt(sum(jnp.sum(jnp.square(x / largest)) for x in wide))

    return jax.lax.cond(jnp.isinf(plain), scaled, lambda: plain)


@dataclass
class JaxEngine:
    """The compiled engine."""

    fun: Callable[[Any], Any]
    rebuild: Callable[[Sequence[Any]], Any]
    optimizer: Optimizer
    leaves: list[Array]
    state: dict[str, Any] | None
    stop: Stop
    wide: bool
    immutable: bool = False
    stochastic: bool = False
    points: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        optimizer = self.optimizer
        scalar = np.float64 if self.wide else np.float32
        self.leaves = [np.asarray(leaf) for leaf in self.leaves]
        state = optimizer.init_leaves(self.leaves) if self.state is None else self.state
        slots = [{k: np.asarray(v, _slot_type(v, scalar)) for k, v in s.items()} for s in state["slots"]]
        self.state = {"t": int(state["t"]), "slots": slots}
        self._grads = [np.zeros_like(leaf) for leaf in self.leaves]
        self._key = np.array([0, self.seed], dtype=np.uint32)
        with jax_switch(self.wide):
            self._traced = trace_objective(
                self.fun, self.leaves, self.rebuild, immutable=self.immutable, stochastic=self.stochastic
            )
        self._scheduled = tuple(sorted(optimizer.scheduled))
        self._hyper = {
            k: v for k, v in optimizer.at_step(0).items() if k not in self._scheduled and k not in optimizer.structural
        }
        self._fresh = True
        self._last: Any = (math.inf, 0, math.inf)
        shapes = tuple((x.shape, str(x.dtype)) for x in self.leaves)
        key = (self._traced.text, shapes, optimizer.structure, self._scheduled, self.points, self.wide, self.stochastic)
        if key not in _programs:
            made = _program(self._traced, optimizer, self._scheduled, self.points)
            _remember(_programs, key, (made, (self._traced.closed, optimizer)))
        _programs.move_to_end(key)
        self._run = _programs[key][0]

    def advance(self, n: int) -> Records:
        """Make up to n updates (at most CAPACITY a call)."""
        n = min(n, CAPACITY)
        assert self.state is not None
        t = self.state["t"]
        tables = {k: self._table(k, t) for k in self._scheduled}
        stop = (self.stop.tol_grad, self.stop.tol_loss, self.stop.growth)
        with jax_switch(self.wide):
            out = self._run(
                self._traced.consts,
                self._key,
                self.leaves,
                self.state["slots"],
                self._grads,
                t,
                n + self._fresh,
                self._fresh,
                self._hyper,
                tables,
                stop,
                self._last,
            )
            leaves, slots, self._grads, made, reason, self._last, books = out
            rows = int(made)
        book = np.asarray(books)[:rows].astype(np.float64)
        self.leaves = leaves
        self.state = {"t": t + rows - self._fresh, "slots": slots}
        self._fresh = False
        return Records(book[:, 0], book[:, 1], book[:, 2], book[:, 3:], REASONS[int(reason)])

    def _table(self, name: str, t: int) -> Floats:
        return self.optimizer.scheduled[name](np.arange(t, t + CAPACITY + 1))

    def result(self) -> tuple[list[Array], dict[str, Any]]:
        """The parameters and the state as NumPy arrays."""
        assert self.state is not None
        slots = [{k: np.asarray(v) for k, v in s.items()} for s in self.state["slots"]]
        return [np.asarray(leaf) for leaf in self.leaves], {"t": self.state["t"], "slots": slots}


# -- Python ---------------------------------------------------------------------------------------------------------------


@dataclass
class PythonEngine:
    """The same descent, a step at a time, for a value-and-gradient function on NumPy arrays."""

    value_and_grad: Callable[[list[Array]], tuple[float, list[Array]]]
    optimizer: Any
    leaves: list[Array]
    state: dict[str, Any]
    stop: Stop
    points: bool = True

    def __post_init__(self) -> None:
        self.state = self.optimizer.init_leaves(self.leaves) if self.state is None else self.state
        self._grads: list[Array] = []
        self._fresh, self._before, self._quiet, self._first = True, math.inf, 0, math.inf

    def advance(self, n: int) -> Records:
        """Make up to n updates."""
        rows: list[tuple[float, float, float, Floats]] = []
        reason = ""
        for _ in range(n + self._fresh):
            step = math.nan
            if not self._fresh or rows:
                old = self.leaves
                hyper = self.optimizer.at_step(int(self.state["t"]))
                with np.errstate(all="ignore"):
                    self.leaves, self.state = self.optimizer.step_leaves(old, self._grads, self.state, hyper)
                step = _numpy_norm([a - b for a, b in zip(self.leaves, old, strict=True)])
            loss, self._grads = self._evaluate()
            size = _numpy_norm(self._grads)
            shown = self.optimizer.report(self.leaves, self.state)
            row = np.concatenate([np.asarray(x, np.float64).ravel() for x in shown]) if self.points else np.zeros(0)
            rows.append((loss, size, step, row))
            self._quiet = self._quiet + 1 if abs(loss - self._before) <= self.stop.tol_loss else 0
            self._before = loss
            if math.isinf(self._first):
                self._first = max(abs(loss), 1.0)
            reason = self._reason(loss, size)
            if reason:
                break
        self._fresh = False
        columns = [np.array([r[i] for r in rows], dtype=np.float64) for i in range(3)]
        return Records(*columns, np.stack([r[3] for r in rows]), reason)

    def _reason(self, loss: float, size: float) -> str:
        if not (math.isfinite(loss) and math.isfinite(size)):
            return "not finite"
        if size <= self.stop.tol_grad:
            return "gradient"
        if self._quiet >= QUIET:
            return "loss"
        return "growth" if abs(loss) > self.stop.growth * self._first else ""

    def _evaluate(self) -> tuple[float, list[Array]]:
        with np.errstate(all="ignore"):
            loss, grads = self.value_and_grad(self.leaves)
            if self.optimizer.reports_elsewhere:
                loss, _ = self.value_and_grad(self.optimizer.report(self.leaves, self.state))
        for leaf, grad in zip(self.leaves, grads, strict=True):
            if np.shape(grad) != np.shape(leaf):
                raise DescendError(
                    f"the gradient has shape {np.shape(grad)} where the parameter has {np.shape(leaf)}; they must match"
                )
        return float(loss), [np.asarray(g, dtype=leaf.dtype) for g, leaf in zip(grads, self.leaves, strict=True)]

    def result(self) -> tuple[list[Array], dict[str, Any]]:
        """The parameters and the state as NumPy arrays."""
        slots = [{k: np.asarray(v) for k, v in s.items()} for s in self.state["slots"]]
        return [np.asarray(leaf) for leaf in self.leaves], {"t": int(self.state["t"]), "slots": slots}


def _numpy_norm(arrays: Sequence[Array]) -> float:
    with np.errstate(all="ignore"):
        wide = [np.asarray(x, dtype=np.float64) for x in arrays]
        plain = math.sqrt(sum(float(np.sum(np.square(x))) for x in wide))
        if not math.isinf(plain):
            return plain
        largest = max(float(np.max(np.abs(x))) for x in wide)
        return largest * math.sqrt(sum(float(np.sum(np.square(x / largest))) for x in wide))


def torch_gradient(fun: Callable[[Any], Any], rebuild: Any) -> Callable[[list[Array]], tuple[float, list[Array]]]:
    """Value and gradient of a torch function, on NumPy arrays."""
    import torch

    def value_and_grad(leaves: list[Array]) -> tuple[float, list[Array]]:
        tensors = [torch.tensor(leaf, requires_grad=True) for leaf in leaves]
        value = fun(rebuild(tensors))
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            raise DescendError(f"the objective must return one number as a torch tensor; it returned {type(value).__name__}")
        grads = torch.autograd.grad(value, tensors, allow_unused=True)
        return float(value.detach()), [
            np.zeros_like(leaf) if g is None else g.detach().numpy() for g, leaf in zip(grads, leaves, strict=True)
        ]

    return value_and_grad
