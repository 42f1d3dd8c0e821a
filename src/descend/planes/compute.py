"""A plane is computed chunk after chunk, on all cores or all accelerators, coarse first for whoever watches."""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.engine import jax_switch
from descend.errors import DescendError
from descend.objectives import resolve
from descend.planes import verdicts
from descend.planes.axes import Axis, as_axis, precision
from descend.planes.job import Job, accelerator_chunk, workers
from descend.planes.program import program
from descend.planes.result import Plane
from descend.rules import Optimizer, Rule

__all__ = ["Store", "plane"]

#: Seconds between two calls of the callback.
SHOW_EVERY = 0.1


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
        `steps_to` tells the first step whose loss above the minimum is at most this part of the first loss above it; where
        the objective's minimum is not known it is −1 everywhere.
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
    grid = {name: as_axis(name, axis) for name, axis in axes.items()}
    if not grid:
        raise DescendError("a plane needs at least one axis, such as lr=ds.logspace(1e-4, 1, 256)")
    job = Job(goal, start, optimizer, steps, tol, precision(dtype, grid), memory, grid)
    return _computed(job, callback, store)


class Store:
    """Where results are kept while a plane is computed; `descend map` gives one that survives a kill."""

    def arrays(self, job: Job) -> dict[str, NDArray[Any]]:
        """The flat result arrays, possibly filled in part."""
        return job.empty()

    def saved(self) -> None:
        """Called now and then: what is computed should be safe afterwards."""


def _computed(job: Job, callback: Callable[[Plane], Any] | None, store: Store | None) -> Plane:
    store = Store() if store is None else store
    arrays = store.arrays(job)
    todo = np.flatnonzero(arrays["outcome"] < 0)
    if callback is not None:
        todo = _coarse_first(todo, [len(a) for a in job.grid.values()])
    run, shown = program(job), -math.inf  # the first chunk is shown at once
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


def _plane(job: Job, arrays: Mapping[str, NDArray[Any]]) -> Plane:
    shape = tuple(len(a) for a in job.grid.values())
    shaped = {k: v.reshape(shape + v.shape[1:]) for k, v in arrays.items()}
    return Plane(dict(job.grid), shaped, job.config(), job.goal.variables, goal=job.goal)


def _coarse_first(todo: NDArray[np.int64], shape: Sequence[int]) -> NDArray[np.int64]:
    """Every 16th grid point in each direction first, then every 8th, 4th, 2nd, and the rest."""
    index = np.unravel_index(todo, shape)
    level = np.zeros(len(todo), dtype=np.int8)
    for stride in (16, 8, 4, 2):
        coarse = np.logical_and.reduce([i % stride == 0 for i in index])
        level[coarse & (level == 0)] = stride
    return todo[np.argsort(-level, kind="stable")]


def _chunks(job: Job, run: Callable[..., Any], todo: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Any]]:
    """Compute chunk after chunk on all cores, or in turn on all accelerators; results come in order."""
    import jax

    devices = jax.local_devices()
    threads = workers() if devices[0].platform == "cpu" else 2 * len(devices)
    chunk = job.chunk if devices[0].platform == "cpu" else accelerator_chunk(job, len(todo), len(devices))
    fixed = {k: v for k, v in job.optimizer.hyperparameters.items() if k not in job.optimizer.structural}
    fixed = {k: v for k, v in fixed.items() if k not in job.grid}
    floor = np.nan if job.goal.minimum is None else job.goal.minimum  # nothing is at most nan

    def compute(flat: NDArray[np.int64], device: Any) -> Any:
        padded = np.concatenate([flat, np.repeat(flat[-1:], chunk - len(flat))]) if len(flat) < chunk else flat
        with jax_switch(job.wide), jax.default_device(device):
            args = (job.traced.consts, job.leaves, fixed, job.values(padded), job.marks, floor, job.tol)
            return [np.asarray(x)[: len(flat)] for x in run(*args)]

    turn = itertools.cycle(devices)
    waiting: deque[tuple[NDArray[np.int64], Future[Any]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for begin in range(0, len(todo), chunk):
                flat = todo[begin : begin + chunk]
                waiting.append((flat, pool.submit(compute, flat, next(turn))))
                if len(waiting) > 2 * threads:
                    flat, future = waiting.popleft()
                    yield flat, future.result()
            while waiting:
                flat, future = waiting.popleft()
                yield flat, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _keep(job: Job, arrays: Mapping[str, NDArray[Any]], flat: NDArray[np.int64], out: Any) -> None:
    """Turn a chunk's snapshots into results. The outcome comes last: it is what marks a point as computed."""
    snaps, stats, hit, point = out
    snaps, stats = (x.transpose(2, 1, 0).astype(np.float64, order="C") for x in (snaps, stats))  # long rows are fast
    epsilon = float(np.finfo(job.dtype).eps)
    loss, size, peak, low, high, total = (x.T for x in (*snaps, *stats))
    seen = verdicts.Snapshots(job.marks.astype(np.int64), loss, size, peak, low, high, total, epsilon)
    arrays["first_loss"][flat] = seen.loss[:, 0]
    arrays["loss"][flat] = seen.loss[:, -1]
    arrays["best_loss"][flat] = seen.best
    arrays["steps_to"][flat] = verdicts.solved(seen, hit, job.goal.minimum, job.tol)
    with np.errstate(over="ignore"):
        arrays["rate"][flat] = verdicts.rates(seen)
    if job.points:
        arrays["point"][flat] = point
    maximize = bool(job.optimizer.hyperparameters.get("maximize"))
    arrays["outcome"][flat] = verdicts.outcomes(seen, maximize)
