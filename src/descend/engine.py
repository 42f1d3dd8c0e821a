"""What runs a descent: one compiled JAX program, or the same steps one by one in Python for what JAX cannot trace.

An engine holds the parameters and the optimizer's state. `advance(n)` makes n updates and returns a row for each point it
left; `peek()` returns the row of the point it stands on; `rewind(k)` goes back to where only k of the last n were made. Stop
rules are judged on the rows, outside: the compiled loop does nothing but evaluate, record and update, and XLA turns so small
a loop into one function, some twenty times faster on a CPU than an operation at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.compiled import CAPACITY, Vector, capacity, compiled_loop, packing
from descend.errors import DescendError
from descend.objectives import Objective
from descend.rules import Optimizer
from descend.tracing import trace_objective

__all__ = ["Engine", "JaxEngine", "PythonEngine", "Rows", "jax_switch", "torch_gradient"]

Array = Any
Floats = NDArray[np.float64]


@dataclass
class Rows:
    """One row per point: its loss, the norm of the update made from there, the point where it is small, and its gradient.

    The gradient is there as one row of numbers per point, or as its norm alone.
    """

    loss: Floats
    update_norm: Floats
    point: Floats
    slope: Floats | None = None
    size: Floats | None = None

    def __len__(self) -> int:
        return len(self.loss)

    @cached_property
    def grad_norm(self) -> Floats:
        """Euclidean norm of the gradient at each point."""
        if self.slope is not None:
            return row_norms(self.slope)
        assert self.size is not None
        return self.size

    @property
    def finite(self) -> bool:
        """Whether every loss and gradient norm is known to be finite. False says nothing: squares may overflow."""
        parts = [self.loss, *(self.slope.T if self.slope is not None else [self.grad_norm])]
        # not np.dot: BLAS wakes other threads for more than 10,000 numbers, which on a busy machine takes milliseconds
        with np.errstate(all="ignore"):
            return math.isfinite(sum(float(np.einsum("i,i->", part, part)) for part in parts))

    def first(self, n: int) -> Rows:
        """The first n rows."""
        if n == len(self):
            return self
        found = Rows(self.loss[:n], self.update_norm[:n], self.point[:n])
        found.slope = None if self.slope is None else self.slope[:n]
        found.size = None if self.size is None else self.size[:n]
        return found


class Engine(Protocol):
    """Keeps a descent's parameters and state, and moves them."""

    #: Numbers in the parameters; updates one `advance` can make.
    size: int
    capacity: int

    @property
    def t(self) -> int:
        """Updates made so far."""
        ...

    def advance(self, n: int, *, last: bool = False) -> Rows:
        """Make n updates (at most `capacity`) and return the rows of the n points left behind; with `last` of the one reached too."""
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


def jax_switch(wide: bool) -> AbstractContextManager[Any]:
    """JAX in float64 for the length of a block when the start point is float64. Never yield to a caller inside it."""
    if not wide:
        return nullcontext()
    import jax

    switch: AbstractContextManager[Any] = jax.enable_x64(True)
    return switch


# -- JAX ------------------------------------------------------------------------------------------------------------------


def _slot_type(value: Any, scalar: Any) -> Any:
    """Single numbers are kept in float64 or float32, arrays in the type they have."""
    return getattr(value, "dtype", scalar) if getattr(value, "ndim", 0) else scalar


class JaxEngine:
    """The compiled engine."""

    def __init__(
        self,
        goal: Objective,
        rebuild: Callable[[Sequence[Any]], Any],
        optimizer: Optimizer,
        leaves: list[Array],
        state: dict[str, Any],
        *,
        points: bool = True,
        seed: int = 0,
    ) -> None:
        self.optimizer, self.points = optimizer, points
        self.size = sum(leaf.size for leaf in leaves)
        self.capacity = capacity(leaves, points)
        self._wide = any(leaf.dtype == np.float64 for leaf in leaves)
        scalar = np.float64 if self._wide else np.float32
        slots = [{k: np.asarray(v, _slot_type(v, scalar)) for k, v in s.items()} for s in state["slots"]]
        with jax_switch(self._wide):
            traced = trace_objective(goal.fun, leaves, rebuild, immutable=goal.immutable, stochastic=goal.stochastic)
        self.narrow = traced.narrow if self._wide else []
        self._consts = traced.consts
        self._key = np.array([0, seed], dtype=np.uint32) if goal.stochastic else None
        self._scheduled = optimizer.scheduled
        fixed = optimizer.scheduled.keys() | optimizer.structural.keys()
        hyper = {k: v for k, v in optimizer.hyperparameters.items() if k not in fixed}
        self._handed = packing((leaves, slots), hyper, scalar)
        self._rates = self._handed.shut_rates(hyper)
        self._run = compiled_loop(traced, optimizer, leaves, self._handed, points=points, wide=self._wide)
        #: Leaves and slots, and the number of updates made.
        self._at: tuple[Any, int] = (self._handed.shut((leaves, slots)), int(state["t"]))
        self._before = self._at

    @property
    def t(self) -> int:
        """Updates made so far."""
        return self._at[1]

    @property
    def data_size(self) -> int:
        """Numbers the objective closes over: what a step reads, beside the parameters."""
        return sum(int(np.size(const)) for const in self._consts)

    def advance(self, n: int, *, last: bool = False) -> Rows:
        """Make n updates (at most `capacity`) and return the rows of the n points left behind; with `last` of the one reached too."""
        self._before = self._at
        self._at, rows = self._called(n, last)
        return rows

    def peek(self) -> Rows:
        """The row of the present point; nothing moves."""
        return self._called(0, True)[1]

    def rewind(self, k: int) -> None:
        """Go back to where only k of the updates of the last `advance` were made."""
        self._at = self._before
        if k:
            self._at, _ = self._called(k, False)

    def _called(self, n: int, last: bool) -> tuple[tuple[Any, int], Rows]:
        shut, t = self._at
        tables = self._tables(t, n + last) if self._scheduled else {}
        with jax_switch(self._wide):
            shut, book = self._run(self._consts, self._key, np.array([0, n, n + last, t]), shut, self._rates, tables)
        found = np.asarray(book)[:, : n + last]
        if 2 * n < self.capacity:  # a view would keep the whole book in memory
            found = found.copy()
        return (shut, t + n), self._rows(found if found.dtype == np.float64 else found.astype(np.float64))

    def _tables(self, t: int, n: int) -> dict[str, Floats]:
        """The hyperparameters that follow a schedule, for n steps; as long as any number of steps may need."""
        tables = {}
        for name, schedule in self._scheduled.items():
            tables[name] = np.zeros(self.capacity + 1)
            tables[name][:n] = schedule(np.arange(t, t + n))
        return tables

    def _rows(self, book: Floats) -> Rows:
        if not self.points:
            return Rows(book[0], book[2], np.zeros((book.shape[1], 0)), size=book[1])
        return Rows(book[0], np.zeros(0), book[1 : 1 + self.size].T, slope=book[1 + self.size :].T)

    def result(self) -> tuple[list[Array], dict[str, Any]]:
        """The parameters and the state as NumPy arrays."""
        shut, t = self._at
        leaves, slots = self._handed.open(np.array(shut) if isinstance(self._handed, Vector) else shut)
        slots = [{k: np.asarray(v) for k, v in s.items()} for s in slots]
        return [np.asarray(leaf) for leaf in leaves], {"t": t, "slots": slots}


def row_norms(rows: Floats) -> Floats:
    """Euclidean norm of each row; rows whose squares overflow are scaled first."""
    with np.errstate(all="ignore"):
        if rows.shape[1] <= 8:  # few columns: adding them up is faster than a reduction along short rows
            plain = np.sqrt(sum((column * column for column in rows.T), np.zeros(len(rows))))
        else:
            rows = np.ascontiguousarray(rows)  # the order of a sum must not hang on how the rows lie in memory
            plain = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        huge = np.isinf(plain)
        if huge.any():
            largest = np.abs(rows[huge]).max(axis=1)
            plain[huge] = largest * np.sqrt(np.square(rows[huge] / largest[:, None]).sum(axis=1))
    return np.asarray(plain)


# -- Python ---------------------------------------------------------------------------------------------------------------


class PythonEngine:
    """The same descent, a step at a time, for a value-and-gradient function on NumPy arrays."""

    capacity = CAPACITY

    def __init__(
        self,
        value_and_grad: Callable[[list[Array]], tuple[float, list[Array]]],
        optimizer: Any,
        leaves: list[Array],
        state: dict[str, Any],
        *,
        points: bool = True,
    ) -> None:
        self.value_and_grad, self.optimizer, self.points = value_and_grad, optimizer, points
        self.size = sum(leaf.size for leaf in leaves)
        self._at = leaves, state
        self._history: list[tuple[list[Array], dict[str, Any]]] = []

    @property
    def t(self) -> int:
        """Updates made so far."""
        return int(self._at[1]["t"])

    def advance(self, n: int, *, last: bool = False) -> Rows:
        """The rows of n points and, with `last`, of the one reached; stops early where a value is not finite."""
        rows: list[Any] = []
        self._history = []
        with np.errstate(all="ignore"):
            for _ in range(n):
                loss, grads, row = self._evaluate()
                self._history.append(self._at)
                rows.append(row)
                if not math.isfinite(loss):
                    break
                old, state = self._at
                self._at = self.optimizer.step_leaves(old, grads, state, self.optimizer.at_step(self.t))
                row[1] = _numpy_norm([a - b for a, b in zip(self._at[0], old, strict=True)])
            else:
                rows += [self._evaluate()[2]] if last else []
        return self._rows(rows)

    def peek(self) -> Rows:
        """The row of the present point; nothing moves."""
        with np.errstate(all="ignore"):
            return self._rows([self._evaluate()[2]])

    def rewind(self, k: int) -> None:
        """Go back to where only k of the updates of the last `advance` were made."""
        if k < len(self._history):
            self._at = self._history[k]

    def _rows(self, rows: list[Any]) -> Rows:
        loss, moved, point, size = (np.array([r[i] for r in rows], dtype=np.float64) for i in range(4))
        return Rows(loss, moved, point, size=size)

    def _evaluate(self) -> tuple[float, list[Array], list[Any]]:
        leaves, state = self._at
        loss, grads = self.value_and_grad(leaves)
        for leaf, grad in zip(leaves, grads, strict=True):
            if np.shape(grad) != np.shape(leaf):
                raise DescendError(
                    f"the gradient has shape {np.shape(grad)} where the parameter has {leaf.shape}; they must match"
                )
        grads = [np.asarray(g, dtype=leaf.dtype) for g, leaf in zip(grads, leaves, strict=True)]
        shown = leaves
        if self.optimizer.reports_elsewhere:
            shown = self.optimizer.report(leaves, state)
            loss, _ = self.value_and_grad(shown)
        point = np.concatenate([np.asarray(x, np.float64).ravel() for x in shown]) if self.points else np.zeros(0)
        return loss, grads, [loss, math.nan, point, _numpy_norm(grads)]

    def result(self) -> tuple[list[Array], dict[str, Any]]:
        """The parameters and the state as NumPy arrays."""
        leaves, state = self._at
        slots = [{k: np.asarray(v) for k, v in s.items()} for s in state["slots"]]
        return [np.asarray(leaf) for leaf in leaves], {"t": int(state["t"]), "slots": slots}


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
