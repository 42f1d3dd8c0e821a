"""Many descents at once: a complete descent for each point of a grid of hyperparameters or start coordinates.

    surface = ds.plane("rosenbrock", optimizer=ds.adam(), lr=ds.logspace(1e-4, 1, 256), beta1=ds.linspace(0, 0.99, 256))
    surface.best()

One descent is a scalar program; a chunk of a few thousand of them is that program under vmap, small enough to stay in a
core's cache; chunks run on all cores, or in turn on all accelerators. Memory is bounded by the chunk, not by the grid.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.engine import Traced, jax_switch, trace_objective
from descend.errors import DescendError
from descend.objectives import Objective, resolve
from descend.rules import COMMON, Optimizer, Rule
from descend.trace import OUTCOMES, strict_json, write_atomically
from descend.trees import flatten

__all__ = ["Axis", "Plane", "linspace", "logspace", "plane"]

Array = Any
Floats = NDArray[Any]

#: Bytes one core works on at a time: about its own cache.
CACHE = 256 * 1024
#: A converged run has its gradient down to this part of the first, or its loss at the tolerance.
VANISHED = 1e-5
#: Seconds between two calls of the callback.
SHOW_EVERY = 0.1
#: Result columns and their types.
COLUMNS: dict[str, str] = {
    "loss": "f",
    "best_loss": "f",
    "first_loss": "f",
    "steps_to": "i4",
    "rate": "f",
    "outcome": "i1",
}


@dataclass(frozen=True)
class Axis:
    """One axis of a grid: its values, and the scale it is drawn on."""

    values: NDArray[np.float64]
    scale: str = "linear"

    def __len__(self) -> int:
        return len(self.values)


def logspace(low: float, high: float, n: int = 256) -> Axis:
    """`n` values from low to high, evenly spaced in their logarithm.

    >>> logspace(0.01, 1, 3).values
    array([0.01, 0.1 , 1.  ])
    """
    if not (0 < low < math.inf and 0 < high < math.inf):
        raise DescendError(f"a logarithmic axis runs between two positive numbers; got {low:g} to {high:g}")
    return Axis(np.geomspace(low, high, _count(n)), "log")


def linspace(low: float, high: float, n: int = 256) -> Axis:
    """`n` evenly spaced values from low to high.

    >>> linspace(0, 1, 3).values
    array([0. , 0.5, 1. ])
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise DescendError(f"an axis runs between two finite numbers; got {low:g} to {high:g}")
    return Axis(np.linspace(low, high, _count(n)), "linear")


def _count(n: int) -> int:
    if n != int(n) or n < 1:
        raise DescendError(f"an axis needs a whole number of at least 1 value; got {n}")
    return int(n)


@dataclass
class Plane:
    """A descent's result at each point of a grid: labelled arrays, axes in the order they were given.

    `plane["loss"]` (final), `"best_loss"`, `"first_loss"`, `"steps_to"` (first step at the tolerance, −1: never),
    `"rate"` (factor per step of the amplitude, from the loss; below 1 it shrinks) and `"outcome"` (codes into
    `descend.trace.OUTCOMES`, −1: not computed); `"point"` (..., d) where there are few variables.
    """

    axes: dict[str, Axis]
    arrays: dict[str, NDArray[Any]]
    config: dict[str, Any] = field(default_factory=dict)
    variables: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis) for axis in self.axes.values())

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.arrays:
            raise KeyError(f"a plane has {', '.join(self.arrays)}; it has no {name!r}")
        return self.arrays[name]

    @property
    def loss(self) -> NDArray[Any]:
        """Final loss; NaN or Inf where it left the range of numbers."""
        return self["loss"]

    @property
    def outcomes(self) -> NDArray[np.str_]:
        """Outcomes as words, '' where not computed."""
        words: NDArray[np.str_] = np.array([*OUTCOMES, ""])[self["outcome"]]
        return words

    @property
    def done(self) -> float:
        """The part of the grid that is computed, 0 to 1."""
        return float(np.mean(self["outcome"] >= 0))

    def best(self, by: str = "loss") -> dict[str, Any]:
        """The grid point with the lowest value of a column (`steps_to`: of those that got there), with its results.

        >>> p = plane("x**2", [1.0], steps=20, lr=linspace(0.1, 0.5, 5))
        >>> round(p.best()["lr"], 3)
        0.5
        """
        values = np.array(self[by], dtype=np.float64)
        values[~np.isfinite(values) | (self["outcome"] < 0)] = np.inf
        if by == "steps_to":
            values[values < 0] = np.inf
        if not np.isfinite(values).any():
            raise DescendError(f"no point of this plane has a finite {by}")
        return self.at(*np.unravel_index(int(np.argmin(values)), self.shape))

    def at(self, *index: Any) -> dict[str, Any]:
        """Axis values and results at a grid index."""
        found: dict[str, Any] = {name: float(axis.values[i]) for (name, axis), i in zip(self.axes.items(), index, strict=True)}
        for name, values in self.arrays.items():
            value = values[tuple(index)]
            found[name] = value.tolist() if np.ndim(value) else value.item()
        code = int(found["outcome"])
        return found | {"outcome": OUTCOMES[code] if code >= 0 else None}

    def slice(self, **values: float) -> Plane:
        """The plane at the grid line nearest to given axis values: one axis fewer for each."""
        axes, index = dict(self.axes), []
        for name in values:
            if name not in axes:
                raise DescendError(f"this plane has the axes {', '.join(self.axes)}; it has no {name!r}")
        for name, axis in self.axes.items():
            if name in values:
                place = np.log(axis.values) if axis.scale == "log" else axis.values
                wanted = math.log(values[name]) if axis.scale == "log" else values[name]
                index.append(int(np.argmin(np.abs(place - wanted))))
                del axes[name]
            else:
                index.append(slice(None))  # type: ignore[arg-type]
        fixed = {k: float(self.axes[k].values[i]) for k, i in zip(self.axes, index, strict=True) if k in values}
        config = self.config | {"fixed": self.config.get("fixed", {}) | fixed}
        return Plane(axes, {k: v[tuple(index)] for k, v in self.arrays.items()}, config, self.variables)

    def limit(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """The predicted largest stable lr along the other axis: its values and the limits; None where none is predicted."""
        return predicted_limit(self)

    def plot(self, **options: Any) -> Any:
        """Draw the map; returns a matplotlib Figure. See `descend.figures.draw_plane`."""
        from descend.figures import draw_plane

        return draw_plane(self, **options)

    def __repr__(self) -> str:
        axes = ", ".join(f"{name} {len(axis)}" for name, axis in self.axes.items())
        kinds, counts = np.unique(self.outcomes, return_counts=True)
        told = ", ".join(f"{c:,} {k or 'not computed'}" for k, c in zip(kinds, counts, strict=True))
        return f"Plane({self.config.get('optimizer')} on {self.config.get('objective')}; {axes}: {told})"

    # -- to a file and back

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write as `.npz`, whole or not at all."""
        target = Path(path)
        if target.suffix != ".npz":
            raise DescendError(f"a plane is saved as .npz; {target.name!r} ends in {target.suffix or 'nothing'}")
        told = {"scales": {k: a.scale for k, a in self.axes.items()}, "config": self.config, "variables": self.variables}

        def write(file: BinaryIO) -> None:
            arrays = {f"axis:{k}": a.values for k, a in self.axes.items()} | {f"array:{k}": v for k, v in self.arrays.items()}
            np.savez_compressed(file, plane=np.array(strict_json(told)), **arrays)

        write_atomically(target, write)
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Plane:
        """Read what `save` wrote."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                told = json.loads(str(archive["plane"]))
                axes = {k: Axis(archive[f"axis:{k}"], scale) for k, scale in told["scales"].items()}
                arrays = {k.removeprefix("array:"): archive[k] for k in archive.files if k.startswith("array:")}
        except FileNotFoundError:
            raise DescendError(f"there is no file {str(path)!r}") from None
        except (KeyError, ValueError, OSError, EOFError) as error:
            raise DescendError(f"{str(path)!r} is not a plane saved by descend ({error})") from None
        return cls(axes, arrays, told["config"], tuple(told["variables"]))


def plane(
    objective: Any,
    start: Any = None,
    optimizer: Optimizer | Rule | None = None,
    *,
    steps: int = 500,
    tol: float = 1e-6,
    dtype: str | None = None,
    memory: float = 256e6,
    callback: Callable[[Plane], Any] | None = None,
    store: Store | None = None,
    **axes: Axis | ArrayLike,
) -> Plane:
    """Run a complete descent at each point of a grid.

    Parameters
    ----------
    objective, start, optimizer
        As for `descend`. What an axis states takes the place of the optimizer's own value or the start's coordinate.
    steps
        Updates of every descent; all are made.
    tol
        `steps_to` tells the first step whose loss above the minimum (0 where that is not known) is at most this part of
        the first loss above it.
    dtype
        "float32" or "float64". By default float32 while it can tell neighbouring grid values apart, else float64.
    memory
        Bytes that the descents under way may take, results not counted.
    callback
        Called with the plane so far, at most ten times a second; the grid is then filled coarsely first and refined.
        Returning False stops.
    **axes
        `lr=ds.logspace(1e-4, 1, 256)`: a hyperparameter, a variable of the objective (its start coordinate), or
        `lr_w0`: a hyperparameter for one array of a tree of parameters. Any array of values will do.

    Returns
    -------
    Plane
        Labelled arrays with the axes in the order given. An interrupt (Ctrl-C) returns what is computed.

    Examples
    --------
    >>> import descend as ds
    >>> p = ds.plane("x**2 + 3*y**2", [4, 3], ds.sgd(), steps=100, lr=ds.linspace(0.05, 0.4, 8))
    >>> [bool(o) for o in p.outcomes == "diverged"]
    [False, False, False, False, False, False, True, True]
    """
    goal = resolve(objective)
    grid = {name: axis if isinstance(axis, Axis) else _as_axis(name, axis) for name, axis in axes.items()}
    if not grid:
        raise DescendError("a plane needs at least one axis, such as lr=ds.logspace(1e-4, 1, 256)")
    job = _Job(goal, start, optimizer, steps, tol, _precision(dtype, grid), memory, grid)
    return _computed(job, callback, store)


def _as_axis(name: str, values: Any) -> Axis:
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise DescendError(f"the axis {name} needs a list of finite numbers; got {values!r}")
    return Axis(array)


def _precision(dtype: str | None, grid: Mapping[str, Axis]) -> np.dtype[Any]:
    if dtype is not None:
        if dtype not in ("float32", "float64"):
            raise DescendError(f"dtype is 'float32' or 'float64'; got {dtype!r}")
        return np.dtype(dtype)
    for axis in grid.values():
        if len(np.unique(axis.values.astype(np.float32))) < len(np.unique(axis.values)):
            return np.dtype(np.float64)
    return np.dtype(np.float32)


# -- the job --------------------------------------------------------------------------------------------------------------


class _Job:
    """Everything needed to compute any part of the grid: the program, the fixed values, and which axis goes where."""

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
        from descend.optimizers import sgd

        self.goal, self.grid, self.dtype, self.memory = goal, grid, dtype, memory
        self.steps, self.tol = _whole(steps, "steps"), float(tol)
        chosen = sgd() if optimizer is None else optimizer() if isinstance(optimizer, Rule) else optimizer
        if not isinstance(chosen, Optimizer):
            raise DescendError("a plane takes descend's own optimizers, such as ds.adam()")
        if chosen.scheduled:
            raise DescendError("a plane holds hyperparameters still; give numbers instead of schedules")
        if goal.backend != "jax" or goal.grad is not None or goal.stochastic:
            raise DescendError("a plane needs an objective that JAX can differentiate, without minibatches")
        self.optimizer = chosen
        self.leaves, self.rebuild, self.names = self._start(start)
        self.targets = [self._target(name) for name in grid]
        varied = {name: _switched_on(grid[name]) for name, (kind, _) in zip(grid, self.targets, strict=True) if kind == "hyper"}
        self.optimizer = chosen.with_values(**varied)  # an axis that begins at 0 must not switch its term off
        self.wide = dtype == np.float64
        with jax_switch(self.wide):
            self.traced = trace_objective(goal.fun, self.leaves, self.rebuild, immutable=goal.immutable, stochastic=False)
        self.points = sum(leaf.size for leaf in self.leaves) if sum(leaf.size for leaf in self.leaves) <= 4 else 0
        self.chunk = self._chunk_size()

    def _start(self, start: Any) -> tuple[list[Floats], Any, list[str]]:
        goal = self.goal
        start = goal.start if start is None else start
        if start is None and goal.variables and all(v in self.grid for v in goal.variables):
            start = np.zeros(len(goal.variables))
        if start is None:
            raise DescendError(
                f"a start point is needed: one number for each of {', '.join(goal.variables) or 'the parameters'}"
            )
        if goal.variables:
            array = np.asarray(start, dtype=self.dtype).reshape(-1)
            if array.shape != (len(goal.variables),):
                raise DescendError(
                    f"{goal.name} has the variables {', '.join(goal.variables)}; the start has {array.size} numbers"
                )
            return [array], _first, list(goal.variables)
        leaves, rebuild = flatten(np.asarray(start) if isinstance(start, list | tuple) and _plain(start) else start)
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

    def _chunk_size(self) -> int:
        each = _bytes_of_a_run(self.traced, self.leaves, len(self.optimizer.rule.slots), self.dtype.itemsize)
        cached = CACHE / each
        allowed = self.memory / each / (2 * _workers())
        return max(1, min(1 << 16, 1 << int(math.log2(max(1.0, min(max(cached, 16), allowed))))))

    @property
    def size(self) -> int:
        return math.prod(len(axis) for axis in self.grid.values())

    def values(self, flat: NDArray[np.int64]) -> list[Floats]:
        """Axis values at flat grid indices, one array per axis."""
        index = np.unravel_index(flat, [len(a) for a in self.grid.values()])
        return [axis.values[i].astype(self.dtype) for axis, i in zip(self.grid.values(), index, strict=True)]

    def config(self) -> dict[str, Any]:
        return {
            "objective": self.goal.text,
            "name": self.goal.name,
            "optimizer": self.optimizer.name,
            "hyperparameters": {k: v for k, v in self.optimizer.hyperparameters.items() if k not in self.grid},
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


def _switched_on(axis: Axis) -> float:
    """A value of the axis that is not 0, where it has one."""
    return float(axis.values[np.argmax(axis.values != 0)])


def _plain(start: Any) -> bool:
    return all(isinstance(v, int | float | np.number) for v in start)


def _first(leaves: Any) -> Any:
    return leaves[0]


def _whole(value: Any, what: str) -> int:
    if isinstance(value, bool) or value != int(value) or value < 1:
        raise DescendError(f"{what} must be a whole number of at least 1; got {value!r}")
    return int(value)


def _workers() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _bytes_of_a_run(traced: Traced, leaves: Sequence[Floats], slots: int, itemsize: int) -> int:
    """An upper estimate of what one descent keeps: parameters, slots, and every intermediate of value and gradient."""
    own = sum(leaf.size for leaf in leaves) * (2 + slots)
    between = max((math.prod(v.aval.shape) for e in traced.closed.jaxpr.eqns for v in e.outvars), default=1)
    inner = sum(math.prod(v.aval.shape) for e in traced.closed.jaxpr.eqns for v in e.outvars)
    return int(itemsize * (own + 12 + (inner if between > 64 else min(inner, 8))))


# -- the program ----------------------------------------------------------------------------------------------------------

_compiled: dict[Any, tuple[Any, Any]] = {}


def _program(job: _Job) -> Callable[..., Any]:
    """The compiled program for a chunk, found again for an equal objective, rule and set of axes."""
    optimizer = job.optimizer
    shapes = tuple((leaf.shape, str(leaf.dtype)) for leaf in job.leaves)
    key = (job.traced.text, shapes, optimizer.structure, tuple(map(str, job.targets)), job.points)
    if key not in _compiled:
        if len(_compiled) > 64:
            _compiled.pop(next(iter(_compiled)))
        _compiled[key] = (_built(job), job.traced)
    program: Callable[..., Any] = _compiled[key][0]
    return program


def _built(job: _Job) -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    optimizer, targets, jaxpr, points = job.optimizer, job.targets, job.traced.closed.jaxpr, job.points
    rule, structural = optimizer.rule, optimizer.structural

    def one(consts: Any, first: Any, fixed: Any, values: Any, n: Any, floor: Any, tol: Any) -> Any:
        hyper = structural | fixed
        leaves: list[Array] = list(first)
        own: list[dict[str, Array]] = [{} for _ in leaves]
        for (kind, where), value in zip(targets, values, strict=True):
            if kind == "hyper":
                hyper[where] = value
            elif kind == "leaf":
                own[where[1]][where[0]] = value
            else:
                leaves[0] = leaves[0].at[where].set(value)
        number = leaves[0].dtype

        def evaluate(leaves: Any) -> Any:
            loss, *grads = jax.core.eval_jaxpr(jaxpr, consts, *leaves)
            return loss, grads

        def shown(leaves: Any, slots: Any) -> Any:
            return optimizer.report(leaves, {"slots": slots}) if optimizer.reports_elsewhere else leaves

        def step(k: Any, carry: Any) -> Any:
            leaves, slots, best, hit, goal = carry
            loss, grads = evaluate(leaves)
            seen = evaluate(shown(leaves, slots))[0] if optimizer.reports_elsewhere else loss
            best = jnp.where(seen < best, seen, best)
            hit = jnp.where((hit < 0) & (seen <= goal), k, hit)
            if any(own):
                moved = rule.apply_all(grads, leaves, slots, [{k: hyper[k] for k in rule.hyperparameters} | o for o in own])
                new, after = [p for p, _ in moved], [s for _, s in moved]
            else:
                new, state = optimizer.step_leaves(leaves, grads, {"t": k, "slots": slots}, hyper)
                after = state["slots"]
            new, after = jax.tree_util.tree_map(lambda old, x: jnp.asarray(x, old.dtype), (leaves, slots), (new, after))
            return new, after, best, hit, goal

        # three stretches: the first half, the second half, and none, with a snapshot at the start of each
        def stretch(i: Any, carry: Any) -> Any:
            leaves, slots, bests, hit, goal, snaps = carry
            loss, grads = evaluate(shown(leaves, slots))
            size = jnp.sqrt(sum(jnp.sum(g * g) for g in grads))
            goal = jnp.where(i == 0, floor + tol * (loss - floor), goal)
            snaps = snaps.at[i].set(jnp.stack([loss, size]).astype(number))
            hit = jnp.where((i == 2) & (hit < 0) & (loss <= goal), n, hit)
            low, high = jnp.where(i == 1, n // 2, 0), jnp.where(i == 0, n // 2, jnp.where(i == 1, n, 0))
            inside = (leaves, slots, jnp.asarray(jnp.inf, number), hit, goal)
            leaves, slots, best, hit, _ = jax.lax.fori_loop(low, high, step, inside)
            return leaves, slots, bests.at[i].set(jnp.where(i == 2, loss, best)), hit, goal, snaps

        slots = _first_slots(optimizer, leaves, hyper)
        carry = (
            leaves,
            slots,
            jnp.full(3, jnp.inf, number),
            jnp.asarray(-1),
            jnp.asarray(-jnp.inf, number),
            jnp.zeros((3, 2), number),
        )
        leaves, slots, bests, hit, _, snaps = jax.lax.fori_loop(0, 3, stretch, carry)
        point = jnp.concatenate([x.reshape(-1) for x in shown(leaves, slots)]) if points else jnp.zeros(0, number)
        return snaps, bests, hit, point

    return jax.jit(jax.vmap(one, in_axes=(None, None, None, 0, None, None, None)))


def _first_slots(optimizer: Optimizer, leaves: Sequence[Array], hyper: Mapping[str, Any]) -> list[dict[str, Array]]:
    """The first state with hyperparameters that may be traced: numbers become arrays of the parameter's type."""
    import jax.numpy as jnp

    rule, slots = optimizer.rule, []
    own = {k: hyper[k] for k in rule.hyperparameters}
    for p in leaves:
        fresh = rule.start(p, own)
        slots.append({name: jnp.asarray(getattr(fresh, name), p.dtype) for name in rule.kept_slots(p, own)})
    return slots


# -- computing ------------------------------------------------------------------------------------------------------------


class Store:
    """Where results are kept while a plane is computed; `descend map` gives one that survives a kill."""

    def arrays(self, job: _Job) -> dict[str, NDArray[Any]]:
        """The flat result arrays, possibly filled in part."""
        return job.empty()

    def saved(self) -> None:
        """Called now and then: what is computed should be safe afterwards."""


def _computed(job: _Job, callback: Callable[[Plane], Any] | None, store: Store | None) -> Plane:
    store = Store() if store is None else store
    arrays = store.arrays(job)
    todo = np.flatnonzero(arrays["outcome"] < 0)
    if callback is not None:
        todo = _coarse_first(todo, [len(a) for a in job.grid.values()])
    run, shown = _program(job), time.monotonic()
    try:
        for flat, out in _chunks(job, run, todo):
            _keep(job, arrays, flat, out)
            if callback is not None and time.monotonic() - shown > SHOW_EVERY:
                if callback(_plane(job, arrays)) is False:
                    break
                shown = time.monotonic()
            store.saved()
    except KeyboardInterrupt:
        pass
    return _plane(job, arrays)


def _plane(job: _Job, arrays: Mapping[str, NDArray[Any]]) -> Plane:
    shape = tuple(len(a) for a in job.grid.values())
    return Plane(
        dict(job.grid), {k: v.reshape(shape + v.shape[1:]) for k, v in arrays.items()}, job.config(), job.goal.variables
    )


def _coarse_first(todo: NDArray[np.int64], shape: Sequence[int]) -> NDArray[np.int64]:
    """Every 16th grid point in each direction first, then every 8th, 4th, 2nd, and the rest."""
    index = np.unravel_index(todo, shape)
    level = np.zeros(len(todo), dtype=np.int8)
    for stride in (16, 8, 4, 2):
        coarse = np.logical_and.reduce([i % stride == 0 for i in index])
        level[coarse & (level == 0)] = stride
    return todo[np.argsort(-level, kind="stable")]


def _chunks(job: _Job, run: Callable[..., Any], todo: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Any]]:
    """Compute chunk after chunk on all cores, or in turn on all accelerators; results come in order."""
    import jax

    devices = jax.local_devices()
    workers = _workers() if devices[0].platform == "cpu" else 2 * len(devices)
    chunk = job.chunk if devices[0].platform == "cpu" else _accelerator_chunk(job, len(todo), len(devices))
    fixed = {k: v for k, v in job.optimizer.hyperparameters.items() if k not in job.optimizer.structural}
    fixed = {k: v for k, v in fixed.items() if k not in job.grid}
    floor = job.goal.minimum if job.goal.minimum is not None else 0.0

    def compute(flat: NDArray[np.int64], device: Any) -> Any:
        padded = np.concatenate([flat, np.repeat(flat[-1:], chunk - len(flat))]) if len(flat) < chunk else flat
        with jax_switch(job.wide), jax.default_device(device):
            args = (job.traced.consts, job.leaves, fixed, job.values(padded), job.steps, floor, job.tol)
            return [np.asarray(x)[: len(flat)] for x in run(*args)]

    turn = itertools.cycle(devices)
    waiting: deque[tuple[NDArray[np.int64], Future[Any]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for begin in range(0, len(todo), chunk):
                flat = todo[begin : begin + chunk]
                waiting.append((flat, pool.submit(compute, flat, next(turn))))
                if len(waiting) > 2 * workers:
                    flat, future = waiting.popleft()
                    yield flat, future.result()
            while waiting:
                flat, future = waiting.popleft()
                yield flat, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _accelerator_chunk(job: _Job, points: int, devices: int) -> int:
    """One large batch per device: as much as memory allows."""
    each = _bytes_of_a_run(job.traced, job.leaves, len(job.optimizer.rule.slots), job.dtype.itemsize)
    allowed = max(1.0, job.memory / each)
    return int(min(1 << int(math.log2(allowed)), max(1, math.ceil(points / devices))))


def _keep(job: _Job, arrays: dict[str, NDArray[Any]], flat: NDArray[np.int64], out: Any) -> None:
    """Turn a chunk's snapshots into results."""
    snaps, bests, hit, point = out
    floor = job.goal.minimum if job.goal.minimum is not None else 0.0
    arrays["first_loss"][flat] = snaps[:, 0, 0]
    arrays["loss"][flat] = snaps[:, 2, 0]
    arrays["best_loss"][flat] = bests.min(axis=1)
    arrays["steps_to"][flat] = hit
    arrays["rate"][flat] = _rates(snaps[:, :, 0].astype(np.float64), hit, job, floor)
    arrays["outcome"][flat] = _outcomes(snaps.astype(np.float64), bests.astype(np.float64), hit)
    if job.points:
        arrays["point"][flat] = point


def _rates(loss: NDArray[np.float64], hit: NDArray[Any], job: _Job, floor: float) -> NDArray[np.float64]:
    """Factor per step of the amplitude, the root of the loss above the minimum: to the tolerance, or over the second half."""
    above, half = loss - floor, job.steps - job.steps // 2
    with np.errstate(all="ignore"):
        late = np.where(np.isfinite(above[:, 2]), (above[:, 2] / above[:, 1]) ** (0.5 / half), np.inf)
        early = job.tol ** (0.5 / np.maximum(hit, 1))
    return np.where(hit > 0, early, np.where(hit == 0, 0.0, late))


def _outcomes(snaps: NDArray[np.float64], bests: NDArray[np.float64], hit: NDArray[Any]) -> NDArray[np.int8]:
    """Outcome codes from three snapshots of loss and gradient norm and the best loss of each half."""
    first, middle, last = snaps[:, 0, 0], snaps[:, 1, 0], snaps[:, 2, 0]
    with np.errstate(all="ignore"):
        failed = ~np.isfinite(first)
        lost = ~np.isfinite(last)
        grown = (last > first) & (last > middle)
        endless = last < -1e6 * np.maximum(np.abs(first), 1.0)
        vanished = (snaps[:, 2, 1] <= VANISHED * snaps[:, 0, 1]) | ((hit >= 0) & (last <= middle + 1e-3 * np.abs(first)))
        gained = bests[:, 0] - np.minimum(bests[:, 1], bests[:, 2])
        stuck = gained <= 1e-6 * np.minimum(np.abs(first - bests[:, 0]), np.abs(bests[:, 0]))
    names = list(OUTCOMES)
    code = np.select(
        [failed, lost | grown | endless, vanished, stuck],
        [names.index(n) for n in ("failed", "diverged", "converged", "stalled")],
        names.index("step_budget"),
    )
    return code.astype(np.int8)


# -- the predicted limit --------------------------------------------------------------------------------------------------


def predicted_limit(made: Plane) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The predicted largest stable lr for each value of the other axis (or once, where lr is the only one)."""
    import descend.optimizers  # noqa: F401  (fills the registry)
    from descend.rules import OPTIMIZERS
    from descend.stability import curvature_at, lr_limit

    others = [name for name in made.axes if name != "lr"]
    rule = OPTIMIZERS.get(made.config.get("optimizer", ""))
    if "lr" not in made.axes or len(others) > 1 or rule is None or rule.kind != "linear" or not made.config.get("start"):
        return None
    goal, start = resolve(made.config["name"]), np.array(made.config["start"], dtype=np.float64)
    fixed = made.config["hyperparameters"] | made.config.get("fixed", {})
    values = made.axes[others[0]].values if others else np.zeros(1)

    def sharpness(point: NDArray[np.float64]) -> float:
        found = curvature_at(goal, point)
        return 0.0 if found is None else float(np.abs(found.eigenvalues).max())

    at_start = sharpness(start)

    def limit(value: float) -> float:
        own, curvature = {k: v for k, v in fixed.items() if k != "lr"}, at_start
        if others and others[0] in made.variables:
            point = start.copy()
            point[made.variables.index(others[0])] = value
            curvature = sharpness(point)
        elif others:
            own[others[0]] = value
        most = lr_limit(rule(**own), curvature)
        return math.nan if most is None else most

    few = values if len(values) <= 65 else values[np.unique(np.linspace(0, len(values) - 1, 65).round().astype(int))]
    return few, np.array([limit(float(v)) for v in few])
