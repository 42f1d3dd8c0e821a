"""The surface beneath a path: an objective on a grid, its contour levels and downhill arrows, and where it is level.

Plain NumPy. An expression is evaluated on whole grids; a user's function is tried on arrays first and checked, then mapped
by JAX, and called point by point, within a time limit, where neither works.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from descend.figures.data import HUGE, Box, Floats

__all__ = ["Field", "Stationary", "contour_levels", "count_of_basins", "evaluator", "field_on", "stationary_near"]

#: A function of points (n, d) to values (n,): NaN where it has none.
Values = Callable[[Floats], Floats]

#: A function that can only be called point by point is given up after this many seconds.
PATIENCE = 0.8
#: So many points or fewer go through JAX as so many.
PADDED = 16
#: Over so many basins there are fewer contours and no arrows, and no more of the domain is shown than the paths need.
RESTLESS = 16


# -- evaluation -----------------------------------------------------------------------------------------------------------


def evaluator(goal: Any, d: int) -> Values | None:
    """The objective as a function of points (n, d), or None where it needs more than a point (a minibatch, say)."""
    if goal is None or goal.stochastic:
        return None
    expression = goal.expression
    if expression is not None:
        if len(expression.variables) != d:
            return None
        return lambda points: _values(expression.numpy(*points.T), len(points))
    return _Function(goal)


def _values(result: Any, n: int) -> Floats:
    with np.errstate(all="ignore"):
        values = np.broadcast_to(np.asarray(result, dtype=np.float64), (n,)).copy()
    values[~(np.abs(values) < HUGE)] = np.nan
    return values


class _Function:
    """A user's function on points (n, d): in whole arrays, mapped by JAX, or one by one, whichever works first."""

    def __init__(self, goal: Any) -> None:
        self.goal = goal
        self.ways: list[Callable[[Floats], Floats | None]] = [self._whole_arrays, self._mapped, self._one_by_one]
        self._compiled: Any = None

    def __call__(self, points: Floats) -> Floats:
        with np.errstate(all="ignore"):
            while len(self.ways) > 1:
                try:
                    values = self.ways[0](points)
                except Exception:  # a user's function may refuse arrays in any way it likes; the next way is tried
                    values = None
                if values is not None:
                    return values
                self.ways.pop(0)
            return self._one_by_one(points)

    def _whole_arrays(self, points: Floats) -> Floats | None:
        """The function on (d, n) as if it were (d,): right only for elementwise bodies, so a few points are checked.

        A body that answers with JAX's arrays is left to `_mapped`: called as it is, it would compile each operation in float32.
        """
        if self.goal.backend == "torch":
            return None
        result = self.goal.fun(points.T.copy())
        if not isinstance(result, np.ndarray) or result.shape != (len(points),) or len(points) == points.shape[1]:
            return None
        for k in (0, len(points) // 3, len(points) - 1):
            if not np.isclose(float(self.goal.fun(points[k])), result[k], rtol=1e-4, atol=1e-9, equal_nan=True):
                return None
        return _values(result, len(points))

    def _mapped(self, points: Floats) -> Floats | None:
        """Mapped and compiled by JAX; few points are padded to one size, so that they share a program."""
        if self.goal.backend != "jax":
            return None
        import jax

        n = len(points)
        padded = points if n > PADDED else np.concatenate([points, np.repeat(points[:1], PADDED - n, axis=0)])
        with jax.enable_x64(True):
            self._compiled = self._compiled or jax.jit(jax.vmap(self.goal.fun))
            return _values(np.asarray(self._compiled(padded))[:n], n)

    def _one_by_one(self, points: Floats) -> Floats:
        values = np.full(len(points), np.nan)
        convert = _torch_point if self.goal.backend == "torch" else np.asarray
        until = time.monotonic() + PATIENCE
        for k, point in enumerate(points):
            try:
                values[k] = float(self.goal.fun(convert(point)))
            except Exception:  # outside its domain a function may raise; there is nothing to draw there
                continue
            if time.monotonic() > until:
                return np.full(len(points), np.nan)
        return _values(values, len(points))


def _torch_point(point: Floats) -> Any:
    import torch

    return torch.as_tensor(point)


# -- the field ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """An objective of two variables on a grid."""

    x: Floats
    y: Floats
    #: Shape (len(y), len(x)); NaN where there is no value.
    values: Floats
    #: Increasing; fewer than two where there is nothing to draw.
    levels: Floats
    #: Where the arrows stand, shape (k, 2), and which way is downhill there, unit length.
    arrows: Floats
    downhill: Floats


def field_on(values: Values, box: Box, *, size: int = 150, arrows: int = 13, minimum: float | None = None) -> Field:
    """Evaluate on a grid over a 2-D box, choose contour levels and find the downhill direction on a coarser grid."""
    x, y = (np.linspace(box.low[i], box.high[i], size) for i in (0, 1))
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    v = values(grid.reshape(-1, 2)).reshape(size, size)
    restless = count_of_basins(v) > RESTLESS
    with np.errstate(all="ignore"):
        dy, dx = np.gradient(v, y, x)
    at = np.linspace(0, size - 1, 2 * arrows + 1).round().astype(int)[1::2]
    slope = np.stack([-dx[np.ix_(at, at)], -dy[np.ix_(at, at)]], axis=-1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        length = np.hypot(slope[:, 0], slope[:, 1])
        steep = np.isfinite(length) & (length > 1e-12 * np.nanmax(length, initial=0.0)) & (length > 0)
    places = grid[np.ix_(at, at)].reshape(-1, 2)[steep]
    if restless:
        steep = np.zeros_like(steep)
        places = places[:0]
    return Field(x, y, v, contour_levels(v, minimum, 7 if restless else 14), places, slope[steep] / length[steep, None])


def count_of_basins(values: Floats) -> int:
    """How many basins with hills between them a grid shows; many of them make a picture restless.

    Counted are points lower than their eight neighbours, or higher, whichever are fewer: on a grid a narrow valley that runs
    slantwise looks like a row of basins, but has no hills.
    """
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    rows, columns = values.shape[0] - 2, values.shape[1] - 2

    def lowest(v: Floats) -> int:
        around = [v[1:-1, 1:-1] < v[i : i + rows, j : j + columns] for i, j in shifts]
        return int(np.all(around, axis=0).sum())

    return min(lowest(np.where(np.isfinite(values), values, np.inf)), lowest(np.where(np.isfinite(values), -values, np.inf)))


def contour_levels(values: Floats, minimum: float | None = None, count: int = 14) -> Floats:
    """Levels above the minimum, spaced so that half of them lie in each half of the area.

    With z the height above the minimum, level k is z_max·(k/n)^p, and p puts the median height half way: about 2 for a bowl
    (evenly spaced rings), more for a steep-walled valley, where it acts as a log scale that reaches down to the floor.
    """
    v = values[np.isfinite(values)]
    if v.size < 4:
        return np.zeros(0)
    low = float(v.min())
    if minimum is not None and math.isfinite(minimum) and minimum <= low:
        low = minimum
    heights = v - low
    top, middle = float(np.quantile(heights, 0.985)), float(np.median(heights))
    if not top > 1e-12 * max(abs(low), 1e-300):
        return np.zeros(0)
    power = math.log2(top / middle) if middle > 0 else 8.0
    t = np.arange(1, count + 1) / count
    levels = low + top * t ** min(max(power, 1.0), 8.0)
    return np.unique(np.minimum(levels, v.max()))


# -- level points ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stationary:
    """A point where the surface is level, found numerically."""

    point: Floats
    kind: Literal["minimum", "saddle"]
    value: float


def stationary_near(values: Values, start: Floats, scale: float, iterations: int = 60) -> Stationary | None:
    """Newton's method from `start` on finite differences: the minimum or saddle nearby, or None where there is none.

    Steps are limited to `scale`, and a step is taken along descent directions first: a saddle is reported only where no
    minimum was found.
    """
    down = _newton(values, start, scale, iterations, descend=True)
    if down is not None:
        return down
    return _newton(values, start, scale, iterations, descend=False)


def _newton(values: Values, start: Floats, scale: float, iterations: int, *, descend: bool) -> Stationary | None:
    p = np.array(start, dtype=np.float64)
    first = None
    for _ in range(iterations):
        h = 1e-4 * max(scale, 1e-9) if first is None else max(1e-4 * scale * 0.1, 1e-10)
        value, gradient, hessian = _local(values, p, h)
        if not (math.isfinite(value) and np.all(np.isfinite(gradient)) and np.all(np.isfinite(hessian))):
            return None
        first = max(float(np.linalg.norm(gradient)), 1e-300) if first is None else first
        eigenvalues, vectors = np.linalg.eigh(hessian)
        size = float(np.abs(eigenvalues).max())
        if size == 0:
            return None
        if descend:
            curved = np.maximum(np.abs(eigenvalues), 1e-6 * size)
        else:
            curved = np.where(np.abs(eigenvalues) < 1e-9 * size, 1e-9 * size, eigenvalues)
        step = -vectors @ ((vectors.T @ gradient) / curved)
        length = float(np.linalg.norm(step))
        if length < 1e-7 * scale:
            return _classified(p + step, eigenvalues, size, value, descend)
        step *= min(1.0, scale / length)
        p = p + (_shortened(values, p, step, value) if descend else step)
    return None


def _classified(p: Floats, eigenvalues: Floats, size: float, value: float, descend: bool) -> Stationary | None:
    if eigenvalues[0] > 1e-6 * size:
        return Stationary(p, "minimum", value)
    if not descend and eigenvalues[0] < -1e-6 * size < 1e-6 * size < eigenvalues[-1]:
        return Stationary(p, "saddle", value)
    return None


def _shortened(values: Values, p: Floats, step: Floats, value: float) -> Floats:
    """The step, halved until it goes down."""
    factors = 0.5 ** np.arange(12)
    tried = values(p + factors[:, None] * step)
    lower = np.flatnonzero(tried <= value)
    return factors[lower[0]] * step if lower.size else 0.0 * step


def _local(values: Values, p: Floats, h: float) -> tuple[float, Floats, Floats]:
    """Value, gradient and Hessian by central differences, in one evaluation."""
    d = len(p)
    unit = h * np.eye(d)
    pairs: list[tuple[int, int]] = [(i, j) for i in range(d) for j in range(i)]
    offsets = [np.zeros(d), *unit, *-unit]
    for i, j in pairs:
        offsets += [unit[i] + unit[j], unit[i] - unit[j], unit[j] - unit[i], -unit[i] - unit[j]]
    v = values(p + np.array(offsets))
    gradient = (v[1 : d + 1] - v[d + 1 : 2 * d + 1]) / (2 * h)
    hessian = np.diag((v[1 : d + 1] - 2 * v[0] + v[d + 1 : 2 * d + 1]) / h**2)
    for k, (i, j) in enumerate(pairs):
        a, b, c, e = v[2 * d + 1 + 4 * k : 2 * d + 5 + 4 * k]
        hessian[i, j] = hessian[j, i] = (a - b - c + e) / (4 * h**2)
    return float(v[0]), gradient, hessian


def slopes(values: Values, x: NDArray[np.float64], h: float) -> Floats:
    """Derivatives of a function of one variable at points of shape (n,), by central differences."""
    return np.asarray((values((x + h)[:, None]) - values((x - h)[:, None])) / (2 * h))
