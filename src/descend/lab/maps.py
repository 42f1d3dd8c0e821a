"""The maps' asks: what can be mapped, the map itself (coarse first), one of its descents, the predicted limit, the picture."""

from __future__ import annotations

import importlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.figures.data import number
from descend.figures.planemap import DIVERGED, MISSING, MapView, draw_plane, map_view
from descend.figures.style import write_figure
from descend.lab.choices import PRESETS, axes_of, box_of, objectives
from descend.lab.descents import optimizer_of
from descend.lab.desk import Talk
from descend.lab.frames import Frame, single
from descend.lab.regimes import curvature_from, regime_grid, regime_of
from descend.lab.spans import Chart, Span, chart, goal_named
from descend.planes import Axis, Plane, Store, plane
from descend.planes.limit import predicted_limit
from descend.rules import OPTIMIZERS
from descend.trace import OUTCOMES

__all__ = ["choices", "drawn", "limit", "map", "picture", "run", "warm"]

#: Planes kept, so that another colouring, the picture and the way back need no computing: so many, of so many descents.
KEPT, KEPT_POINTS = 4, 1_500_000
#: A frame is sent when so many times what it costs has passed since the last.
PAUSE = 4
#: Values of the other axis at which the predicted limit is drawn.
LIMIT_PLACES = 33
STRIDES = (16, 8, 4, 2, 1)
#: The column a reader is told of a descent, by colouring.
TOLD = {"rate": "rate", "steps": "steps_to", "loss": "loss", "basin": "steps_to"}

_kept: OrderedDict[Any, Plane] = OrderedDict()
_keeping = threading.Lock()


def choices(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """What a map's controls are made from: presets, objectives, optimizers, and the axes of the ones named."""
    goal = goal_named(params.get("objective") or "ellipse")
    optimizer = optimizer_of(params.get("optimizer") or {"name": "momentum"})
    rules = [r for r in OPTIMIZERS.values() if r.ndim is None and (goal.variables or r.name != "asgd")]
    return Frame(
        {
            "presets": PRESETS,
            "objectives": objectives(),
            "optimizers": [{"name": r.name, "title": r.title or r.name} for r in rules],
            "axes": axes_of(goal, optimizer),
            "switches": [h.name for h in optimizer.rule.hyperparameters.values() if h.structural],
            "text": goal.text,
            "variables": goal.variables,
            "minima": goal.minima,
            "start": goal.start if goal.variables else None,
            "box": box_of(goal, params.get("start")),
        }
    )


# -- the map


class _OvertakenError(Exception):
    """A newer question has come."""


class _Watched(Store):
    """Results in memory, given up between two chunks when nobody waits for them any more; others' chunks come in between."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    def saved(self) -> None:
        self.talk.pause()
        if self.talk.cancelled:
            raise _OvertakenError


def map(params: Mapping[str, Any], talk: Talk) -> Frame:
    """The map: frames of indices into a palette, coarse first, and at last the values too.

    The first frame says only that it is this map's turn: until the next one its program is compiled.
    """
    told, began = chart(params), time.monotonic()
    if told.key not in _kept:
        talk.send(Frame({"begun": True}))
    spent, sent = 0.0, -np.inf

    def show(part: Plane) -> None:
        nonlocal spent, sent
        now = time.monotonic()
        if part.done < 1 and now - sent > PAUSE * spent:
            talk.send(_coarse(told, part, now - began))
            sent = time.monotonic()
            spent = sent - now

    try:
        made = _made(told, talk, show)
    except _OvertakenError:
        return Frame({"overtaken": True})
    view = drawn(made, told.by)
    values = single(made[TOLD[told.by]].T)
    counts = np.bincount(np.asarray(made["outcome"]).ravel(), minlength=len(OUTCOMES))
    words = {
        "command": told.command,
        "python": told.python,
        "outcomes": {kind: int(n) for kind, n in zip(OUTCOMES, counts, strict=True) if n},
        "best": _best(made),
    }
    arrays = _arrays(view) | {"value": values}
    return Frame(_about(told, view, 1.0, 1, time.monotonic() - began) | words, arrays)


def _made(told: Chart, talk: Talk, show: Callable[[Plane], Any] | None) -> Plane:
    """The plane, kept from before or computed."""
    with _keeping:
        if told.key in _kept:
            _kept.move_to_end(told.key)
            return _kept[told.key]
    made = plane(
        told.goal,
        told.start,
        told.optimizer,
        steps=told.steps,
        tol=told.tol,
        dtype=told.dtype,
        callback=show,
        store=_Watched(talk),
        **told.axes,  # type: ignore[arg-type]
    )
    with _keeping:
        _kept[told.key] = made
        while len(_kept) > KEPT or (len(_kept) > 1 and sum(int(np.prod(p.shape)) for p in _kept.values()) > KEPT_POINTS):
            _kept.popitem(last=False)
    return made


def warm(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """Compile a map's program: what one of its chunks takes is all that is computed."""
    told = chart(params)
    if told.key not in _kept:
        ends = {span.name: Axis(np.array([span.low, span.high]), span.scale) for span in told.spans}
        kind = "float64" if told.wide else "float32"
        plane(told.goal, told.start, told.optimizer, steps=told.steps, tol=told.tol, dtype=kind, **ends)  # type: ignore[arg-type]
    return Frame({})


def drawn(made: Plane, by: str) -> MapView:
    """The map's colours."""
    return map_view(made, by)


def _coarse(told: Chart, part: Plane, seconds: float) -> Frame:
    """What is computed so far, at the finest stride that has begun; what is missing takes its coarse neighbour's colour."""
    done = int(np.count_nonzero(part["outcome"] >= 0))
    stride = next((s for s in STRIDES if done <= np.prod([-(-n // s) for n in part.shape])), 1)
    view = drawn(_thinned(part, stride), told.by)
    index = view.index
    if stride < STRIDES[0]:
        rows, columns = ((np.arange(n) // 2) * 2 for n in index.shape)
        index = np.where(index == MISSING, index[np.ix_(rows, columns)], index)
    arrays = _arrays(view) | {"index": index}
    return Frame(_about(told, view, part.done, stride, seconds), arrays)


def _thinned(part: Plane, stride: int) -> Plane:
    axes = {k: Axis(a.values[::stride], a.scale) for k, a in part.axes.items()}
    arrays = {k: v[::stride, ::stride] for k, v in part.arrays.items()}
    return Plane(axes, arrays, part.config, part.variables, part.goal)


def _arrays(view: MapView) -> dict[str, NDArray[Any]]:
    return {"index": view.index, "palette": view.palette}


def _about(told: Chart, view: MapView, done: float, stride: int, seconds: float) -> dict[str, Any]:
    return {
        "done": done,
        "stride": stride,
        "seconds": seconds,
        "size": [span.count for span in told.spans],
        "dtype": "float64" if told.wide else "float32",
        "legend": {
            "by": view.by,
            "title": view.title,
            "ticks": view.ticks,
            "none": view.none,
            "diverged": bool((view.index == DIVERGED).any()),
        },
    }


def _best(made: Plane) -> dict[str, float] | None:
    """Where the loss ends lowest."""
    try:
        found = made.best()
    except DescendError:
        return None
    return {name: found[name] for name in (*made.axes, "loss", "steps_to")}


# -- one of its descents


def run(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The descent at a point of the map: points (n, d), losses and gradient norms (n,), its outcome, its regime."""
    told = chart(params)
    point = _point(params, told)
    trace = told.trace(point)
    start, optimizer, fixed = told.placed(point)
    assert trace.outcome is not None
    regime = regime_of(told.goal, optimizer, start, trace)
    arrays = {"loss": np.asarray(trace.loss, np.float64), "grad_norm": np.asarray(trace.grad_norm, np.float64)}
    if "point" in trace and told.goal.variables:
        arrays["points"] = np.asarray(trace.points, np.float64)
    return Frame(
        {
            "at": point,
            "outcome": trace.outcome.kind,
            "message": trace.outcome.message,
            "regime": regime.word,
            "sentence": regime.sentence,
            "directions": [vars(d) for d in regime.directions],
            "fixed": {k: v for k, v in fixed.items() if isinstance(v, float)},
            "minimum": told.goal.minimum,
            "steps": trace.steps,
            "final": number(float(trace.loss[-1]), 4),
        },
        arrays,
    )


def _point(params: Mapping[str, Any], told: Chart) -> tuple[float, float]:
    """The descent asked for: by the cell of the map it stands in, or by its values."""
    cell, at = params.get("cell"), params.get("at")
    if isinstance(cell, list) and len(cell) == 2 and all(type(c) is int for c in cell):
        if all(0 <= c < span.count for c, span in zip(cell, told.spans, strict=True)):
            first, second = (float(span.axis.values[c]) for c, span in zip(cell, told.spans, strict=True))
            return first, second
        raise DescendError("the cell lies outside the map")
    if not isinstance(at, list) or len(at) != 2 or not all(type(v) in (int, float) and abs(v) < 1e300 for v in at):
        raise DescendError("a descent of the map is named by its cell or by a value of each axis")
    return float(at[0]), float(at[1])


# -- what is drawn over it


def limit(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The predicted largest stable rate along the map, and where each regime lies; arrays are empty where neither is known."""
    told = chart(params)
    kept = {k: v for k, v in told.optimizer.hyperparameters.items() if k not in told.axes}
    start = None if not told.goal.variables else [float(v) for v in told.start]
    config = {"optimizer": told.optimizer.name, "hyperparameters": kept, "start": start}
    few = {s.name: Span(s.name, s.low, s.high, s.scale, LIMIT_PLACES).axis for s in told.spans}
    found = predicted_limit(Plane(few, {}, config, told.goal.variables, told.goal), told.goal)
    arrays: dict[str, NDArray[Any]] = {}
    if found is not None:
        others, limits = found
        names = [s.name for s in told.spans]
        pair = (limits, others) if names[0] == "lr" else (others, limits)
        good = np.isfinite(limits)
        arrays["limit"] = np.stack([p[good] for p in pair], axis=1).astype(np.float64)
    regimes = regime_grid(told.goal, told.optimizer, told.start, [s.axis for s in told.spans], [s.name for s in told.spans])
    labels: list[Any] = []
    if regimes is not None:
        arrays["regimes"], labels = regimes
    name = "predicted limit" if regimes is not None or found is None else _named(told)
    return Frame({"labels": labels, "name": name}, arrays)


def _named(told: Chart) -> str:
    """What the limit is called: it holds everywhere on a quadratic only."""
    _, everywhere = curvature_from(told.goal, tuple(float(v) for v in told.start))
    return "predicted limit" if everywhere else "limit by the curvature at the start"


def picture(params: Mapping[str, Any], talk: Talk) -> Frame:
    """The map as a PNG file, its parameters in the file's description."""
    told = chart(params)
    try:
        made = _made(told, talk, None)
    except _OvertakenError:
        return Frame({"overtaken": True})
    file = BytesIO()
    about = made.config | {"by": told.by, "version": importlib.import_module("descend").__version__, "command": told.command}
    write_figure(draw_plane(made, told.by), file, "png", about)
    name = f"{''.join(c if c.isalnum() else '-' for c in told.text)[:40].strip('-')}-{told.optimizer.name}"
    return Frame({"name": f"{name}-{'-'.join(told.axes)}.png"}, {"file": np.frombuffer(file.getvalue(), np.uint8)})
