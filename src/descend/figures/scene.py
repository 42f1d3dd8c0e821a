"""What one figure is about: traces, the surface they ran on, the places worth naming. No drawing here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.figures.data import HUGE, REACH, Box, Floats, PathView, finite_path, number, trace_labels, view_box
from descend.figures.field import RESTLESS, Stationary, Values, count_of_basins, evaluator, field_on, stationary_near
from descend.objectives import SURFACES, Objective, parse
from descend.trace import Trace

__all__ = ["Place", "Scene", "goal_of", "name_places", "scene_of"]

#: How far a path of one variable is followed (see `view_box`): alone, and beside runs that stay.
REACH_OF_A_CURVE, REACH_BESIDE_OTHERS = 5.0, 2.6
#: An end this near to a minimum, as a part of the view, is said to be there.
THERE = 0.006


@dataclass(frozen=True)
class Scene:
    """The traces and what is known of the surface they ran on."""

    traces: tuple[Trace, ...]
    goal: Any
    labels: tuple[str, ...]
    #: Number of variables where every trace has its path in the same ones; 0 otherwise.
    dimensions: int
    variables: tuple[str, ...]
    #: The objective on points (n, d); None where it cannot be drawn.
    values: Values | None
    #: Each path up to where it leaves the range of what can be drawn, and its last finite point.
    paths: tuple[Floats, ...]
    reached: tuple[Floats, ...]
    #: Known minima, shape (k, d), and the lowest value where it is known or was found.
    minima: Floats
    minimum: float | None
    #: The minimum or saddle found numerically where none is known.
    found: Stationary | None

    @property
    def level_word(self) -> str:
        return "minimum" if self.found is None else self.found.kind

    def level_points(self) -> Floats:
        """Minima (or the found saddle), shape (k, d)."""
        return self.minima if self.found is None else self.found.point[None, :]

    def anchors(self) -> Floats:
        """The level points that the view must hold: of the known minima the one nearest to each start and each end."""
        points = self.level_points()
        if not len(points) or not self.paths:
            return points
        ends = np.clip([p[i] for p in self.paths for i in (0, -1)], -1e9, 1e9)
        distance = np.abs(points[None] - ends[:, None]).max(axis=2)
        return np.asarray(points[np.unique(distance.argmin(axis=1))])

    def box(self, aspect: float | None = None) -> Box:
        """The region to draw."""
        settled = [
            p[-1]
            for t, p in zip(self.traces, self.paths, strict=True)
            if t.outcome and t.outcome.kind not in ("diverged", "failed")
        ]
        domain = self.goal.domain if self.goal is not None else None
        if domain is not None and self.dimensions == 2 and self.values is not None:
            whole = Box(*np.asarray(domain, dtype=np.float64).T)
            domain = None if count_of_basins(field_on(self.values, whole, size=100).values) > RESTLESS else domain
        anchors = self.anchors()
        if self.dimensions == 1:  # a little of the far slope, so that a bowl looks like one
            settled = [*settled, *(1.4 * a - 0.4 * p[0] for a in anchors for p in self.paths)]
        mixed = 0 < sum(1 for t in self.traces if t.outcome and t.outcome.kind == "diverged") < len(self.traces)
        reach = REACH if self.dimensions > 1 else REACH_BESIDE_OTHERS if mixed else REACH_OF_A_CURVE
        return view_box(self.paths, anchors, ends=settled, domain=domain, aspect=aspect, reach=reach)


def goal_of(traces: Sequence[Trace]) -> Objective | None:
    """The objective that traces name in their configuration, where it is an expression or a surface and gives their losses.

    A name is not trusted: the values at a few recorded points must be the recorded losses, or there is no objective.
    """
    texts = {str(t.config.get("objective", "")) for t in traces}
    if len(texts) != 1 or not all("point" in t and len(t.points) for t in traces):
        return None
    text = texts.pop()
    named = (surface.objective() for surface in SURFACES.values())
    goal = next((s for s in named if text in (s.name, s.text)), None)
    if goal is None:
        try:
            expression = parse(text)
        except (DescendError, RecursionError):
            return None
        goal = Objective(expression, expression.text, expression.text, expression.variables, expression=expression)
    return goal if all(_gives(goal, t) for t in traces) else None


def _gives(goal: Objective, trace: Trace) -> bool:
    if goal.expression is None or trace.points.ndim != 2 or trace.points.shape[1] != len(goal.expression.variables):
        return False
    n = min(len(trace.points), len(trace.loss))
    some = np.unique(np.linspace(0, n - 1, 5).astype(int))
    values = goal.expression.numpy(*trace.points[some].T)
    return bool(np.allclose(values, trace.loss[some], rtol=1e-4, atol=1e-9, equal_nan=True))


def scene_of(traces: Sequence[Trace], goal: Any) -> Scene:
    """Collect what can be drawn of traces and their objective."""
    paths: tuple[Floats, ...] = ()
    if all("point" in t and len(t.points) for t in traces):
        paths = tuple(finite_path(t) for t in traces)
    widths = {p.shape[1] for p in paths}
    d = widths.pop() if len(widths) == 1 and all(len(p) for p in paths) else 0
    paths = paths if d else ()
    variables = tuple(traces[0].variables) if len(traces[0].variables) == d else tuple(f"p{i}" for i in range(d))
    values = evaluator(goal, d) if 1 <= d <= 2 else None
    minimum = None if goal is None else goal.minimum
    minima = np.zeros((0, max(d, 1)))
    if goal is not None and d and goal.minima and len(goal.minima[0]) == d:
        minima = np.asarray(goal.minima, dtype=np.float64)
    found = None
    if values is not None and not len(minima):
        found = _level_point(values, traces, paths)
        if found is not None and found.kind == "minimum" and minimum is None:
            typical = max(abs(float(_drawable(t.loss)[0])) for t in traces)
            minimum = 0.0 if abs(found.value) < 1e-9 * typical else found.value
    reached = tuple(_last_finite(t) for t in traces) if d else ()
    return Scene(tuple(traces), goal, trace_labels(traces), d, variables, values, paths, reached, minima, minimum, found)


def _level_point(values: Values, traces: Sequence[Trace], paths: Sequence[Floats]) -> Stationary | None:
    """The minimum, or else the saddle, near the lowest point that any of the paths reached."""
    losses = [_drawable(t.loss)[: len(p)] for t, p in zip(traces, paths, strict=True)]
    if not all(len(loss) == len(p) for loss, p in zip(losses, paths, strict=True)):
        return None
    k = int(np.argmin([loss.min() for loss in losses]))
    start, best = paths[k][0], paths[k][int(losses[k].argmin())]
    strides = [float(np.linalg.norm(np.diff(p[:3], axis=0), axis=1).max(initial=0.0)) for p in paths]
    scale = max(float(np.linalg.norm(best - start)), min(strides), 0.1 * float(np.linalg.norm(start)), 1e-6)
    return stationary_near(values, best, min(scale, 1e3 * (1 + float(np.linalg.norm(start)))))


def _drawable(values: Floats) -> Floats:
    return np.where(np.abs(values) < HUGE, values, HUGE)


def _last_finite(trace: Trace) -> Floats:
    finite = np.all(np.isfinite(trace.points.reshape(len(trace.points), -1)), axis=1)
    return np.atleast_1d(trace.points[int(np.flatnonzero(finite)[-1])])


# -- places ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A point of the picture that is marked; `run` is the trace it belongs to, `text` may be empty."""

    kind: str  #: start, end, exit, level
    point: Floats
    text: str
    run: int | None = None


def name_places(scene: Scene, views: Sequence[PathView], box: Box, level: Floats, starts: Sequence[Floats]) -> list[Place]:
    """Starts, ends (or where a run went), and level points, with their words; runs are named in the legend, not here.

    `level` and `starts` are in the coordinates of the picture, which for one variable are (x, value).
    """
    places = [Place("level", m, scene.level_word) for m in level if box.contains(m)]
    for k, start in enumerate(starts):
        if not any(np.abs((start - q) / box.size).max() < 0.01 for q in starts[:k]):
            own = scene.paths[k][0]
            text = (
                f"start {scene.variables[0]} = {number(float(own[0]))}"
                if scene.dimensions == 1
                else f"start ({', '.join(number(float(c)) for c in own)})"
            )
            places.append(Place("start", start, text))
    alone = len(views) == 1
    for k, view in enumerate(views):
        if view.exit is not None:
            places.append(Place("exit", view.exit[0], _off_words(scene, k, box), k))
        elif box.contains(view.last):
            there = bool(len(level)) and bool(np.min(np.abs((level - view.last) / box.size).max(axis=1)) < THERE)
            words = f"after {scene.traces[k].steps:,} steps" + (f", at the {scene.level_word}" if there else "")
            places.append(Place("end", view.last, words if alone else "", k))
            if there and alone:
                places = [p if p.kind != "level" else Place("level", p.point, "") for p in places]
    return places


def _off_words(scene: Scene, k: int, box: Box) -> str:
    """Where a path that left the frame had got to: its coordinate farthest out."""
    reached, d = scene.reached[k], scene.dimensions
    far = np.abs(reached / box.size[:d] - box.centre[:d] / box.size[:d])
    i = int(np.argmax(far))
    return f"off to {scene.variables[i]} = {number(float(reached[i]))}"
