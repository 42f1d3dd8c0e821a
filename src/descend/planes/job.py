"""What a plane computes: the objective at its start, the optimizer, and which axis goes where."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.engine import jax_switch
from descend.errors import DescendError
from descend.objectives import Objective
from descend.planes.axes import Axis, whole
from descend.planes.verdicts import marks
from descend.rules import COMMON, Optimizer, Rule
from descend.starting import start_arrays, why_not_jax
from descend.tracing import Traced, trace_objective

__all__ = ["COLUMNS", "Job", "accelerator_chunk", "workers"]

Floats = NDArray[Any]

#: Bytes one core works on at a time: about its own cache.
CACHE = 512 * 1024
#: Result columns and their types.
COLUMNS: dict[str, str] = {
    "loss": "f",
    "best_loss": "f",
    "first_loss": "f",
    "steps_to": "i4",
    "rate": "f",
    "outcome": "i1",
}


class Job:
    """Everything needed to compute any part of the grid: the objective, the fixed values, and which axis goes where."""

    def __init__(
        self,
        goal: Objective,
        start: Any,
        optimizer: Any,
        steps: int,
        tol: float,
        dtype: np.dtype[Any],
        memory: float,
        grid: dict[str, Axis],
    ) -> None:
        if goal.backend != "jax" or goal.grad is not None or goal.stochastic:
            raise DescendError("a plane needs an objective that JAX can differentiate, without minibatches")
        self.goal, self.grid, self.dtype, self.memory = goal, grid, dtype, memory
        self.steps, self.tol, self.wide = whole(steps, "steps"), float(tol), dtype == np.float64
        self.marks = marks(self.steps)
        self.optimizer = _chosen(optimizer)
        self.leaves, self.rebuild, self.names = self._start(start)
        for leaf in self.leaves:
            self.optimizer.check_array(leaf)
        self.targets = [self._target(name) for name in grid]
        varied = {name: _switched_on(grid[name]) for name, (kind, _) in zip(grid, self.targets, strict=True) if kind == "hyper"}
        self.optimizer = self.optimizer.with_values(**varied)  # an axis that begins at 0 must not switch its term off
        self.traced = self._traced()
        size = sum(leaf.size for leaf in self.leaves)
        self.points = size if size <= 4 else 0
        self.chunk = self._chunk_size()

    @property
    def shapes(self) -> tuple[tuple[tuple[int, ...], str], ...]:
        """Shape and type of each start array."""
        return tuple((leaf.shape, str(leaf.dtype)) for leaf in self.leaves)

    def _start(self, start: Any) -> tuple[list[Floats], Any, list[str]]:
        """The start as arrays of the plane's precision, how to put them back, and their names."""
        goal = self.goal
        start = goal.start if start is None else start
        if start is None and goal.variables and all(v in self.grid for v in goal.variables):
            start = np.zeros(len(goal.variables))
        leaves, rebuild, _ = start_arrays(goal, start, None)
        if goal.variables:
            names = list(goal.variables)
        else:
            names = sorted(start) if isinstance(start, dict) else [str(i) for i in range(len(leaves))]
        return [np.asarray(leaf, dtype=self.dtype) for leaf in leaves], rebuild, names

    def _target(self, name: str) -> tuple[str, Any]:
        """Where an axis goes: ("hyper", name), ("leaf", (name, number of the array)) or ("start", coordinate)."""
        optimizer = self.optimizer
        known = COMMON | dict(optimizer.rule.hyperparameters)
        if name in known:
            if known[name].structural:
                raise DescendError(f"{name} of {optimizer.name} is structure, not a number that an axis could vary")
            for value in (self.grid[name].values.min(), self.grid[name].values.max()):
                known[name].check(float(value), optimizer.name)
            return ("hyper", name)
        if name in self.goal.variables:
            return ("start", self.goal.variables.index(name))
        hyper, _, leaf = name.rpartition("_")
        if hyper in optimizer.rule.hyperparameters and leaf in self.names and not optimizer.common:
            return ("leaf", (hyper, self.names.index(leaf)))
        own = ", ".join(n for n, h in optimizer.rule.hyperparameters.items() if not h.structural)
        raise DescendError(
            f"{name!r} is neither a hyperparameter of {optimizer.name} ({own}) nor a variable ({', '.join(self.names)})"
        )

    def _traced(self) -> Traced:
        goal = self.goal
        try:
            with jax_switch(self.wide):
                return trace_objective(goal.fun, self.leaves, self.rebuild, immutable=goal.immutable, stochastic=False)
        except DescendError:
            raise
        except Exception as error:
            reason = why_not_jax(goal, self.rebuild(self.leaves), self.wide, error)
            if reason is None:  # an error of the user's own function
                raise
            raise DescendError(reason) from error

    def _chunk_size(self) -> int:
        each = _bytes_of_a_run(self.traced, self.leaves, len(self.optimizer.rule.slots), self.dtype.itemsize)
        cached = CACHE / each
        allowed = self.memory / (each + self.kept_bytes()) / (2 * workers())
        return max(1, min(1 << 16, 1 << int(math.log2(max(1.0, min(max(cached, 16), allowed))))))

    def kept_bytes(self) -> int:
        """Bytes of what a descent leaves: snapshots, and the lowest, highest and summed loss of three stretches."""
        return self.dtype.itemsize * (3 * len(self.marks) + 9 + self.points)

    @property
    def size(self) -> int:
        """Grid points."""
        return math.prod(len(axis) for axis in self.grid.values())

    def values(self, flat: NDArray[np.int64]) -> list[Floats]:
        """Axis values at flat grid indices, one array per axis."""
        index = np.unravel_index(flat, [len(a) for a in self.grid.values()])
        return [axis.values[i].astype(self.dtype) for axis, i in zip(self.grid.values(), index, strict=True)]

    def config(self) -> dict[str, Any]:
        """What the results depend on, as plain values."""
        return {
            "objective": self.goal.text,
            "name": self.goal.name,
            "optimizer": self.optimizer.name,
            "hyperparameters": {k: v for k, v in self.optimizer.hyperparameters.items() if k not in self.grid},
            "minimum": self.goal.minimum,
            "start": [float(v) for leaf in self.leaves for v in leaf.ravel()] if self.goal.variables else None,
            "steps": self.steps,
            "tol": self.tol,
            "dtype": str(self.dtype),
            "axes": {k: [float(a.values[0]), float(a.values[-1]), len(a), a.scale] for k, a in self.grid.items()},
        }

    def empty(self) -> dict[str, NDArray[Any]]:
        """Result arrays, flat, with nothing computed."""
        made: dict[str, NDArray[Any]] = {}
        for name, kind in COLUMNS.items():
            made[name] = np.full(self.size, np.nan if kind == "f" else -1, self.dtype if kind == "f" else kind)
        if self.points:
            made["point"] = np.full((self.size, self.points), np.nan, self.dtype)
        return made


def _chosen(optimizer: Any) -> Optimizer:
    from descend.optimizers import sgd

    chosen = sgd() if optimizer is None else optimizer() if isinstance(optimizer, Rule) else optimizer
    if not isinstance(chosen, Optimizer):
        raise DescendError("a plane takes descend's own optimizers, such as ds.adam()")
    if chosen.scheduled:
        raise DescendError("a plane holds hyperparameters still; give numbers instead of schedules")
    return chosen


def _switched_on(axis: Axis) -> float:
    """A value of the axis that is not 0, where it has one."""
    return float(axis.values[np.argmax(axis.values != 0)])


def workers() -> int:
    """Cores this process may use."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _bytes_of_a_run(traced: Traced, leaves: Sequence[Floats], slots: int, itemsize: int) -> int:
    """An upper estimate of what one descent keeps: parameters, slots, and every intermediate of value and gradient."""
    own = sum(leaf.size for leaf in leaves) * (2 + slots)
    between = max((math.prod(v.aval.shape) for e in traced.closed.jaxpr.eqns for v in e.outvars), default=1)
    inner = sum(math.prod(v.aval.shape) for e in traced.closed.jaxpr.eqns for v in e.outvars)
    return int(itemsize * (own + 12 + (inner if between > 64 else min(inner, 8))))


def accelerator_chunk(job: Job, points: int, devices: int) -> int:
    """One large batch per device: as much as memory allows."""
    each = _bytes_of_a_run(job.traced, job.leaves, len(job.optimizer.rule.slots), job.dtype.itemsize)
    allowed = max(1.0, job.memory / (each + job.kept_bytes()))
    return int(min(1 << int(math.log2(allowed)), max(1, math.ceil(points / devices))))
