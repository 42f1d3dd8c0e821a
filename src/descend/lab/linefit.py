"""The line-fit page's asks: points, the line through them, its place in the (w, b) plane, and the descent there.

Data as a page states it is a demonstration by name, `{"demo": "line"}`, or points, `{"x": […], "y": […], "names": ["x", "y"]}`.
Everything is `descend.fit`'s; the contours of the mean squared error are ellipses, computed from the data's five sums.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.figures.data import Box, view_box
from descend.figures.field import contour_levels
from descend.figures.fit import mse_plane
from descend.fitting import Fit, Scaling, fit
from descend.lab.descents import optimizer_of
from descend.lab.desk import Talk
from descend.lab.frames import Frame, single
from descend.objectives.data import Dataset, dataset, demo_named
from descend.objectives.regression import mse, mse_gradient
from descend.rules import Optimizer
from descend.stability import lr_limit

__all__ = ["MOST_POINTS", "PRESETS", "Line", "line", "line_at", "line_of", "line_presets", "line_why", "warm"]

Floats = NDArray[np.float64]
MOST_POINTS = 2000
MOST_STEPS = 20_000
#: Steps of a path that are sent; of a longer one so many, close together where it begins.
SHOWN = 1200
RING, RINGS = 97, 12
#: Beyond this a path is out of the picture.
FAR = 1e12
_OPTIMIZER = {"name": "sgd", "values": {"lr": 0.01}}

#: What the page offers, each with the settings it is shown with.
PRESETS: tuple[dict[str, Any], ...] = (
    {
        "name": "line",
        "title": "A line, found",
        "data": {"demo": "line"},
        "lr": 0.01,
        "steps": 200,
        "story": "100 points on y = 2x + 3 with noise. The slope is found in a few steps; the intercept takes two hundred.",
    },
    {
        "name": "diverges",
        "title": "Too fast",
        "data": {"demo": "line"},
        "lr": 1.0,
        "steps": 200,
        "story": "The same points at learning rate 1: beyond the limit each step overshoots by more than the last.",
    },
    {
        "name": "edge",
        "title": "On the edge",
        "data": {"demo": "line"},
        "lr": 0.13,
        "steps": 60,
        "story": "Learning rate 0.13, just beyond the limit: each step lands across the valley, farther off than the last.",
    },
    {
        "name": "crawls",
        "title": "Too slow",
        "data": {"demo": "line"},
        "lr": 1e-4,
        "steps": 200,
        "story": "The same points at learning rate 0.0001: after 200 steps the line has hardly left.",
    },
    {
        "name": "crawled",
        "title": "… 10,000 steps",
        "data": {"demo": "line"},
        "lr": 1e-4,
        "steps": 10_000,
        "story": "And after 10,000: the slope is there, the intercept still is not. One rate serves both, and fits neither.",
    },
    {
        "name": "curve",
        "title": "A curve",
        "data": {"demo": "curve"},
        "lr": 0.01,
        "steps": 1000,
        "story": "Points on a parabola. The descent arrives, at the best line there is: what is left is the bias of a line.",
    },
    {
        "name": "five",
        "title": "Five points",
        "data": {"demo": "five"},
        "lr": 0.01,
        "steps": 2000,
        "story": "(1, 2), (2, 4), … (5, 10), on y = 2x. No x is below 1, so that w and b pull on each other: a long valley.",
    },
)


@dataclass(frozen=True)
class Line:
    """A fit as the page states it, within bounds."""

    data: Dataset
    optimizer: Optimizer
    steps: int
    start: tuple[float, float]
    standardise: bool

    @property
    def x(self) -> Floats:
        return self.data.X[:, 0]

    def fitted(self) -> Fit:
        """The library's fit of it."""
        start = list(self.start)
        return fit(self.data, optimizer=self.optimizer, steps=self.steps, start=start, standardise=self.standardise)


def line_of(params: Mapping[str, Any]) -> Line:
    """The fit these params state, or a sentence about what is wrong with them."""
    optimizer = optimizer_of(params.get("optimizer") or _OPTIMIZER)
    lr = optimizer.hyperparameters.get("lr")
    if isinstance(lr, int | float) and not 0 < lr <= 1e6:
        raise DescendError(f"a learning rate lies between 0 and a million; got {lr:g}")
    steps = _real(params.get("steps", 200), "steps")
    if steps != int(steps) or not 1 <= steps <= MOST_STEPS:
        raise DescendError(f"a page makes between 1 and {MOST_STEPS:,} steps; got {steps:g}")
    start = params.get("start", [0.0, 0.0])
    if not isinstance(start, list) or len(start) != 2:
        raise DescendError("a line starts from two numbers, w and b")
    w, b = (_real(v, "a line's w or b", 1e9) for v in start)
    return Line(data_of(params.get("data")), optimizer, int(steps), (w, b), params.get("standardise") is True)


def _real(value: Any, what: str, most: float = 1e12) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most:
        raise DescendError(f"{what} must be a number up to {most:g}; got {str(value)[:40]!r}")
    return float(value)


def data_of(told: Any) -> Dataset:
    """A demonstration by name, or points."""
    if not isinstance(told, Mapping):
        raise DescendError('data is {"demo": "line"}, or {"x": […], "y": […]}')
    if "demo" in told:
        return _demo(str(told["demo"])[:40])
    x, y = told.get("x"), told.get("y")
    if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
        raise DescendError("points are two lists of equal length, x and y")
    if len(x) > MOST_POINTS:
        raise DescendError(f"a page fits up to {MOST_POINTS:,} points; these are {len(x):,}. For more: descend fit")
    if len(x) < 2:
        raise DescendError(f"a line needs two points at least; there {'is 1' if len(x) == 1 else 'are none'}")
    names = told.get("names", ["x", "y"])
    named = isinstance(names, list) and len(names) == 2 and all(isinstance(n, str) and 0 < len(n) <= 60 for n in names)
    one, other = (names[0], names[1]) if named and names[0] != names[1] else ("x", "y")
    return _points(*(tuple(_real(v, f"a point's {n}") for v in column) for n, column in (("x", x), ("y", y))), one, other)


@lru_cache(maxsize=16)
def _points(x: tuple[float, ...], y: tuple[float, ...], feature: str, target: str) -> Dataset:
    """The same points are the same data set, whose compiled code is kept with it."""
    return dataset(x, y, features=[feature], target=target)


@lru_cache(maxsize=8)
def _demo(name: str) -> Dataset:
    return demo_named(name).make()


def line_presets(_params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The presets."""
    return Frame({"presets": PRESETS, "most_points": MOST_POINTS, "most_steps": MOST_STEPS})


# -- the picture ----------------------------------------------------------------------------------------------------------


def line(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The descent from the start, the exact answer, and the plane they lie in.

    `x`, `y` (n,): the data. `at` (k,): the steps shown; `path` (k, 2) and `loss` (k,): w, b and the mean squared error then.
    `rings` (r, m, 2): contours of the error in the plane, at `levels` (r,). `table` (t, 4): step, the loss before its update,
    w and b after it, as a training loop prints them.
    """
    told = line_of(params)
    found = told.fitted()
    path, losses = _finite(found)
    shown = _steps_shown(len(path))
    best = np.array([found.least_squares.coefficients[0], found.least_squares.intercept])
    box = _plane(params.get("box"), path, best, told.start)
    levels = _levels(told, box, found.least_squares.mse)
    spread = _spread(told)
    arrays: dict[str, NDArray[Any]] = {
        "x": told.x,
        "y": told.data.y,
        "at": shown.astype(np.int32),
        "path": path[shown],
        "loss": losses[shown],
        "levels": levels,
        "rings": single(_rings(told.x, best, found.least_squares.mse, levels)),
        "table": _table(path, losses),
    }
    outcome = found.trace.outcome
    gone = _last_seen(path, box) if outcome is not None and outcome.kind in ("diverged", "failed") else None
    limit = lr_limit(told.optimizer, float(spread[-1])) if told.optimizer.rule.kind == "linear" else None
    answer = {
        "names": [told.data.features[0], told.data.target],
        "rows": told.data.rows,
        "steps": found.trace.steps,
        "outcome": None if outcome is None else outcome.kind,
        "message": "" if outcome is None else outcome.message,
        "final": {"w": float(found.coefficients[0]), "b": found.intercept, "mse": found.loss, "r2": found.r2},
        "least_squares": {"w": float(best[0]), "b": float(best[1]), "mse": found.least_squares.mse},
        "limit": limit,
        "curvatures": spread.tolist(),
        "box": np.stack([box.low, box.high], axis=1).tolist(),
        "show": gone,
        "reading": _reading(told, found, limit, gone),
        "standardised": _about_scaling(told, spread),
    }
    return Frame(answer, arrays)


def _finite(found: Fit) -> tuple[Floats, Floats]:
    """The path and its losses as long as they can be drawn."""
    path = found.path
    assert path is not None
    with np.errstate(all="ignore"):
        there = np.all(np.abs(path) < FAR, axis=1) & np.isfinite(found.losses)
    count = len(path) if there.all() else max(1, int(np.argmin(there)))
    return path[:count], found.losses[:count]


def _last_seen(path: Floats, box: Box) -> int:
    """The step to show of a run that flies off: the first outside the picture."""
    inside = box.contains(path)
    return len(path) - 1 if inside.all() else int(np.argmin(inside))


def _steps_shown(count: int) -> NDArray[np.int64]:
    if count <= SHOWN:
        return np.arange(count)
    early, even = np.geomspace(1, count - 1, SHOWN // 2), np.linspace(0, count - 1, SHOWN // 2)
    return np.unique(np.concatenate([[0], early, even]).round().astype(np.int64))


def _table(path: Floats, losses: Floats) -> Floats:
    """Every fifth part of the way, as a training loop prints it."""
    updates = len(path) - 1
    every = max(1, updates // 5)
    steps = np.arange(0, max(updates, 1), every)[:6]
    after = np.minimum(steps + 1, len(path) - 1)
    return np.column_stack([steps, losses[steps], path[after]])


def _plane(told: Any, path: Floats, best: Floats, start: tuple[float, float]) -> Box:
    """The view the page holds, or one that shows start, path and least squares."""
    if told is None:
        return view_box([path], [best], ends=[np.asarray(start)], aspect=1.0, pad=0.16)
    if not isinstance(told, list) or len(told) != 2 or not all(isinstance(r, list) and len(r) == 2 for r in told):
        raise DescendError("a view is [[left, right], [bottom, top]]")
    (a, b), (c, d) = [[_real(v, "an end of the view") for v in r] for r in told]
    if not (b > a and d > c):
        raise DescendError("a view's left end lies left of its right one, and its bottom below its top")
    return Box(np.array([a, c]), np.array([b, d]))


def _levels(told: Line, box: Box, least: float) -> Floats:
    """Levels of the error for this view, from its values on a coarse grid."""
    w, b = (np.linspace(box.low[i], box.high[i], 33) for i in (0, 1))
    grid = np.stack(np.meshgrid(w, b), axis=-1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        return contour_levels(mse_plane(told.x, told.data.y, grid).reshape(33, 33), least, RINGS)


def _rings(x: Floats, best: Floats, least: float, levels: Floats) -> Floats:
    """The contours: (p − p*)ᵀ H (p − p*)/2 = level − least, where H/2 holds the mean of x², of x, and 1."""
    half = np.array([[float(np.mean(x * x)), float(np.mean(x))], [float(np.mean(x)), 1.0]])
    values, vectors = np.linalg.eigh(half)
    turn = np.linspace(0, 2 * math.pi, RING)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    unit = (vectors / np.sqrt(np.maximum(values, 1e-300))) @ circle
    radii = np.sqrt(np.maximum(levels - least, 0.0))
    return np.asarray(best + radii[:, None, None] * unit.T[None])


def _spread(told: Line) -> Floats:
    """The two curvatures the descent meets, the smaller first: of all rows, in the units it runs in."""
    scaling = Scaling.standard(told.data) if told.standardise else Scaling.none(1)
    X, _ = scaling.apply(told.data)
    both = np.column_stack([X, np.ones(len(X))])
    return np.asarray(np.maximum(np.linalg.eigvalsh(2 / len(X) * both.T @ both), 0.0))


def _about_scaling(told: Line, spread: Floats) -> str:
    other = _spread(Line(told.data, told.optimizer, told.steps, told.start, not told.standardise))
    own, raw = (spread, other) if told.standardise else (other, spread)
    ratio = raw[1] / raw[0] if raw[0] > 0 else math.inf
    how = f"As it comes, the error curves {ratio:.3g} times as much one way as the other, and the limit is {2 / raw[1]:.4g}."
    if ratio < 1.01:
        how = f"As it comes, the error already curves alike both ways, and the limit is {2 / raw[1]:.4g}."
    now = f"Standardised (mean 0, deviation 1) both ways curve alike, by {own[1]:.3g}: the limit is {2 / own[1]:.4g}, always."
    return f"{now} {how}" if told.standardise else f"{how} {now}"


def _reading(told: Line, found: Fit, limit: float | None, gone: int | None) -> str:
    """The figure in a sentence or two."""
    exact = found.least_squares
    lr = found.optimizer.hyperparameters.get("lr")
    rate = f"{lr:g}" if isinstance(lr, int | float) else str(lr)
    if gone is not None:
        over = f", {lr / limit:.3g} times the limit {limit:.4g}" if limit and isinstance(lr, int | float) else ""
        left = f"each step overshoots by more than the last: at step {gone} the line has left the picture."
        return f"At learning rate {rate}{over}, {left}"
    where = f"After {found.trace.steps:,} steps the line is {_formula(found.coefficients[0], found.intercept)}"
    best = f"least squares, the best line there is, says {_formula(exact.coefficients[0], exact.intercept)}"
    close = found.loss <= exact.mse + 1e-4 * exact.mse + 1e-8 * float(told.data.y.var())
    if close:
        left = "What is left no line removes." if exact.mse > 1e-9 * float(told.data.y.var()) else "The points lie on it."
        return f"{where}: arrived, with a mean squared error of {found.loss:.4g}. {left}"
    return f"{where}; {best}. Its error is {found.loss:.4g}, the least is {exact.mse:.4g}."


def _formula(w: float, b: float) -> str:
    return f"{w:.4g}x {'−' if b < 0 else '+'} {abs(b):.4g}".replace("-", "−")


def line_at(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """One line by its w and b: its error, and the gradient there (∂/∂w, ∂/∂b), as (2/n) Xᵀ(Xw + b − y) gives it."""
    data, at = data_of(params.get("data")), params.get("at")
    if not isinstance(at, list) or len(at) != 2:
        raise DescendError("a line is two numbers, w and b")
    w, b = (_real(v, "a line's w or b") for v in at)
    slope, shift = mse_gradient(data.X, data.y, [w], b)
    return Frame({"w": w, "b": b, "mse": mse(data.X, data.y, [w], b), "gradient": [float(slope[0]), shift]})


def warm() -> None:
    """Compile what the first page will ask."""
    line_of({"data": PRESETS[0]["data"]}).fitted()


def line_why(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """Why the descent did what it did, what to try, and the same fit as Python and as a command."""
    from descend.fit_report import explained
    from descend.lab.linecode import as_command, as_python

    told = line_of(params)
    found = told.fitted()
    why = explained(found)
    source = params.get("source")
    return Frame(
        {
            "why": why.why,
            "advice": why.advice,
            "conclusion": found.conclusion(),
            "lr": why.lr,
            "python": as_python(told, params.get("data"), source),
            "command": as_command(told, params.get("data"), source),
        }
    )
