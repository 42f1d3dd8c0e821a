"""Traces as one picture: the path on its surface, and the loss beside it.

One variable: the curve with the points on it, their tangents and the steps. Two: contours, downhill arrows and the paths.
More: the coordinates over the steps. What is shown is worked out in `data`, `field` and `labels`; here it is only drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from descend.errors import DescendError
from descend.figures.data import (
    Box,
    CurveView,
    Floats,
    PathView,
    coordinate_view,
    curve_view,
    finite_path,
    loss_view,
    outcome_words,
    path_view,
    trace_labels,
    view_box,
)
from descend.figures.field import Stationary, Values, evaluator, field_on, slopes, stationary_near
from descend.figures.labels import place_labels
from descend.figures.style import (
    COLOURS,
    DASHES,
    FAINT,
    INK,
    MARKERS,
    MUTED,
    axes_at,
    new_figure,
    number,
    power_of_ten,
)
from descend.trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_traces"]

#: Pale ground for the contours, from the valley floor up.
GROUND = ("#DCE6EE", "#FBFCFD")
#: At most so many coordinates get a curve of their own.
MOST_COORDINATES = 6


def draw_traces(
    traces: Sequence[Trace],
    goal: Any = None,
    stability: Any = None,
    title: str | None = None,
    size: tuple[float, float] | None = None,
) -> Figure:
    """Draw traces in one figure: paths on the surface where there are one or two variables, and the loss curves.

    `goal` is the Objective that was minimised; without it there is no surface, only curves. `stability` is one Stability
    statement (or one per trace): the lr is then compared with the limit. `size` is (width, height) in inches.

    >>> from descend.trace import Trace, column
    >>> figure = draw_traces([Trace({"loss": column(range(3), [43.0, 14.56, 7.2448])})])
    >>> len(figure.axes)
    1
    """
    if not traces:
        raise DescendError("there is nothing to draw: give at least one trace")
    missing = [i for i, t in enumerate(traces) if "loss" not in t or not len(t.loss)]
    if missing:
        raise DescendError(f"trace {missing[0] + 1} has no losses to draw")
    scene = _scene(traces, goal)
    if scene.dimensions == 1 and scene.values is not None:
        return _with_heading(_curve_figure(scene, size), scene, stability, title)
    if scene.dimensions == 2 and scene.values is not None:
        return _with_heading(_plane_figure(scene, size), scene, stability, title)
    return _with_heading(_columns_figure(scene, size), scene, stability, title)


# -- what is drawn --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scene:
    """The traces and what is known of the surface they ran on."""

    traces: tuple[Trace, ...]
    goal: Any
    labels: tuple[str, ...]
    #: Variables when every trace has its path in the same ones; 0 otherwise.
    dimensions: int
    variables: tuple[str, ...]
    values: Values | None
    paths: tuple[Floats, ...]
    minima: Floats
    minimum: float | None
    found: Stationary | None


def _scene(traces: Sequence[Trace], goal: Any) -> _Scene:
    paths: tuple[Floats, ...] = ()
    if all("point" in t and len(t.points) for t in traces):
        paths = tuple(finite_path(t) for t in traces)
    widths = {p.shape[1] for p in paths}
    d = widths.pop() if len(widths) == 1 and all(len(p) for p in paths) else 0
    variables = tuple(traces[0].variables) if len(traces[0].variables) == d else tuple(f"p{i}" for i in range(d))
    values = evaluator(goal, d) if 1 <= d <= 2 else None
    minima = np.asarray(goal.minima, dtype=np.float64).reshape(-1, d) if goal is not None and goal.minima and d else None
    minimum = None if goal is None else goal.minimum
    found = None
    if minima is None and values is not None:
        found = _level_point(values, traces, paths)
        if found is not None and found.kind == "minimum" and minimum is None:
            typical = max(abs(float(_finite(t.loss)[0])) for t in traces)
            minimum = 0.0 if abs(found.value) < 1e-9 * typical else found.value
    known = np.zeros((0, max(d, 1))) if minima is None else minima
    return _Scene(tuple(traces), goal, trace_labels(traces), d, variables, values, paths, known, minimum, found)


def _level_point(values: Values, traces: Sequence[Trace], paths: Sequence[Floats]) -> Stationary | None:
    """The minimum, or else the saddle, near the lowest point that any of the paths reached."""
    bests = [(float(np.nanmin(_finite(t.loss[: len(p)]))), k) for k, (t, p) in enumerate(zip(traces, paths, strict=True))]
    k = min(bests)[1]
    lowest = int(np.nanargmin(_finite(traces[k].loss[: len(paths[k])])))
    start, best = paths[k][0], paths[k][lowest]
    near = [p[: max(2, len(p) // 2)] for p in paths]
    moved = [float(np.linalg.norm(np.diff(p, axis=0), axis=1).max(initial=0.0)) for p in near]
    scale = max(float(np.linalg.norm(best - start)), min(moved), 0.1 * float(np.linalg.norm(start)), 1e-6)
    return stationary_near(values, best, min(scale, 1e3 * (1 + float(np.linalg.norm(start)))))


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, 1e300)


def _anchors(scene: _Scene) -> Floats:
    """Minima worth showing: the found one, or the known one nearest to each start and to each end."""
    if scene.found is not None:
        return scene.found.point[None, :]
    if not len(scene.minima):
        return scene.minima
    ends = np.array([p[i] for p in scene.paths for i in (0, -1)])
    distance = np.abs(scene.minima[None] - np.clip(ends, -1e9, 1e9)[:, None]).max(axis=2)
    return np.asarray(scene.minima[np.unique(distance.argmin(axis=1))])


def _box(scene: _Scene, aspect: float | None) -> Box:
    settled = [p[-1] for t, p in zip(scene.traces, scene.paths, strict=True) if t.outcome and t.outcome.kind != "diverged"]
    domain = scene.goal.domain if scene.goal is not None else None
    return view_box(scene.paths, _anchors(scene), ends=settled, domain=domain, aspect=aspect)


# -- headings -------------------------------------------------------------------------------------------------------------


def _with_heading(figure: Figure, scene: _Scene, stability: Any, title: str | None) -> Figure:
    """Title and, below it, what happened in words; with several traces, a row of the legend for each."""
    width, height = figure.get_size_inches()
    left = 0.2 / width
    figure.text(left, 1 - 0.32 / height, title or _title(scene), fontsize=13, fontweight="bold", color=INK, va="baseline")
    if len(scene.traces) == 1:
        words = _one_sentence(scene.traces[0], stability)
        figure.text(left, 1 - 0.57 / height, _fitted(words, width), fontsize=9.5, color=MUTED, va="baseline")
    else:
        _legend(figure, scene, stability)
    return figure


def _title(scene: _Scene) -> str:
    goal = scene.goal
    config = scene.traces[0].config
    text = str(config.get("objective", "")) if goal is None else goal.text
    if goal is not None and goal.name and goal.name != goal.text:
        text = f"{goal.name.replace('_', ' ').capitalize()}: {goal.text}"
    text = text if len(text) <= 60 else f"{text[:58]}…"
    label = scene.labels[0] if len(scene.traces) == 1 else ""
    return "   ·   ".join(part for part in (text, label) if part) or "Loss"


def _one_sentence(trace: Trace, stability: Any) -> str:
    message = trace.outcome.message if trace.outcome else ""
    ratio = _ratio(stability, 0)
    return f"{message} {_limit_words(ratio)}.".strip() if ratio else message


def _ratio(stability: Any, k: int) -> float | None:
    one = stability[k] if isinstance(stability, list | tuple) and k < len(stability) else stability
    ratio = getattr(one, "ratio", None)
    return float(ratio) if ratio is not None and math.isfinite(ratio) else None


def _limit_words(ratio: float | None) -> str:
    return "" if ratio is None else f"lr is {ratio:.3g} × the stable limit"


def _fitted(text: str, width: float) -> str:
    """Cut to one line of a figure that is `width` inches wide."""
    room = int((width - 0.4) * 72 / (9.5 * 0.53))
    return text if len(text) <= room else text[: room - 1].rsplit(" ", 1)[0] + " …"


def legend_height(count: int) -> float:
    """Inches that the legend of so many traces takes."""
    return 0.0 if count < 2 else 0.23 * math.ceil(count / 2) + 0.08


def _legend(figure: Figure, scene: _Scene, stability: Any) -> None:
    """Two columns under the title: line and marker, label, outcome."""
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    for k, (trace, label) in enumerate(zip(scene.traces, scene.labels, strict=True)):
        row, column = divmod(k, 2)
        x, y = 0.2 + column * (width - 0.4) / 2, height - 0.56 - 0.23 * row
        look = _look(k)
        line = Line2D(
            [x / width, (x + 0.42) / width],
            [(y + 0.045) / height] * 2,
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markersize=4,
            markeredgecolor="white",
            markeredgewidth=0.5,
            linewidth=1.6,
        )
        figure.add_artist(line)
        words = outcome_words(trace)
        ratio = _ratio(stability, k) if isinstance(stability, list | tuple) else None
        note = f"{words}  ({_limit_words(ratio)})" if ratio else words
        figure.text((x + 0.52) / width, y / height, f"{label}:  {note}", fontsize=9, color=INK, va="baseline")


@dataclass(frozen=True)
class _Look:
    colour: str
    dash: Any
    marker: str


def _look(k: int) -> _Look:
    return _Look(COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)], MARKERS[k % len(MARKERS)])


# -- two variables --------------------------------------------------------------------------------------------------------


def _plane_figure(scene: _Scene, size: tuple[float, float] | None) -> Figure:
    rows = legend_height(len(scene.traces))
    width, height = size or (10.6, 5.3 + max(0.0, rows - 0.25))
    figure = new_figure(width, height)
    top = 0.95 + max(0.0, rows - 0.25)
    tall = height - top - 0.62
    wide = min(tall * 1.12, (width - 2.0) * 0.52)
    plane = axes_at(figure, 0.66, 0.62, wide, tall, framed=True)
    _draw_plane(plane, scene, (wide, tall))
    left = 0.66 + wide + 0.95
    _draw_loss(axes_at(figure, left, 0.62, width - left - 0.3, tall), scene)
    return figure


def _draw_plane(axes: Axes, scene: _Scene, inches: tuple[float, float]) -> None:
    assert scene.values is not None
    box = _box(scene, inches[0] / inches[1])
    axes.set_xlim(box.low[0], box.high[0])
    axes.set_ylim(box.low[1], box.high[1])
    _draw_ground(axes, scene, box)
    views = [path_view(p, box) for p in scene.paths]
    for k, view in enumerate(views):
        _draw_path(axes, view, _look(k), few=len(views) == 1)
    _name_places(axes, scene, views, box, inches)
    axes.set_xlabel(scene.variables[0], fontsize=10, color=INK, labelpad=2)
    axes.set_ylabel(scene.variables[1], fontsize=10, color=INK, labelpad=4, rotation=0, ha="right", va="center")
    _few_ticks(axes)


def _draw_ground(axes: Axes, scene: _Scene, box: Box) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    assert scene.values is not None
    field = field_on(scene.values, box, minimum=scene.minimum if len(scene.minima) or scene.found else None)
    if len(field.levels) < 2:
        return
    ground = LinearSegmentedColormap.from_list("ground", GROUND)
    values = np.ma.masked_invalid(field.values)
    shades = ground(np.linspace(0, 1, len(field.levels) + 1))
    low = min(float(values.min()), field.levels[0]) - 1e-9 * abs(float(values.min())) - 1e-300
    axes.contourf(field.x, field.y, values, levels=[low, *field.levels], colors=shades, extend="max", zorder=0)
    axes.contour(field.x, field.y, values, levels=field.levels, colors="#A9B7C4", linewidths=0.6, zorder=1)
    axes.quiver(
        *field.arrows.T,
        *field.downhill.T,
        angles="xy",
        pivot="mid",
        color="#93A3B1",
        alpha=0.75,
        scale=38,
        scale_units="width",
        width=0.0022,
        headwidth=4.2,
        headlength=4.5,
        headaxislength=4.2,
        zorder=2,
    )


def _draw_path(axes: Axes, view: PathView, look: _Look, *, few: bool) -> None:
    from matplotlib.collections import LineCollection

    width = 1.5 if len(view.segments) < 400 else 0.9
    lines = LineCollection(list(view.segments), colors=look.colour, linewidths=width, zorder=4)
    lines.set_linestyle("-" if few or len(view.segments) > 150 else look.dash)
    axes.add_collection(lines, autolim=False)
    if len(view.points) <= 250:
        axes.plot(
            *view.points.T,
            look.marker,
            color=look.colour,
            markersize=4.2,
            markeredgecolor="white",
            markeredgewidth=0.6,
            zorder=5,
        )
    if view.exit is not None:
        tip, along = view.exit
        length = float(np.hypot(*along)) or 1.0
        axes.annotate(
            "",
            xy=tuple(tip),
            xytext=tuple(tip - along / length * min(length, 1e-3 * float(np.ptp(axes.get_xlim())))),
            arrowprops={"arrowstyle": "-|>", "color": look.colour, "lw": 1.5, "mutation_scale": 13, "shrinkA": 0, "shrinkB": 0},
            annotation_clip=False,
            zorder=6,
        )


def _draw_points(axes: Axes, points: Floats, look: _Look, size: float) -> None:
    axes.plot(
        *points.T, look.marker, color=look.colour, markersize=size, markeredgecolor="white", markeredgewidth=0.5, zorder=5
    )


def _name_places(axes: Axes, scene: _Scene, views: Sequence[PathView], box: Box, inches: tuple[float, float]) -> None:
    """Mark and name the start, where each run ended, and the minima; words stand where they cover little."""
    places: list[tuple[str, Floats, str]] = []
    points = np.array(inches) * 72

    def on_frame(p: Floats) -> Floats:
        return np.asarray((p - box.low) / box.size * points)

    minima = _anchors(scene)
    for m in minima:
        if box.contains(m):
            axes.plot(*m, marker="+", color=INK, markersize=11, markeredgewidth=1.6, zorder=7)
    named_minimum = False
    for start in _distinct_points([p[0] for p in scene.paths], box):
        axes.plot(*start, marker="o", color="white", markersize=7.5, markeredgecolor=INK, markeredgewidth=1.5, zorder=8)
        places.append((f"start {_tuple_text(start)}", start, INK))
    for k, (view, trace) in enumerate(zip(views, scene.traces, strict=True)):
        look = _look(k)
        if view.exit is not None:
            places.append((_off_words(view, scene.variables, box), view.exit[0], look.colour))
        elif box.contains(view.last):
            axes.plot(
                *view.last,
                marker=look.marker,
                color=look.colour,
                markersize=8.5,
                markeredgecolor=INK,
                markeredgewidth=1.1,
                zorder=9,
            )
            at_rest = len(minima) and np.min(np.abs((minima - view.last) / box.size).max(axis=1)) < 0.012
            if len(views) == 1:
                after = f"after {trace.steps:,} steps"
                places.append((f"{after}, at the minimum" if at_rest and _is_minimum(scene) else after, view.last, look.colour))
                named_minimum = bool(at_rest)
    if not named_minimum:
        word = "minimum" if _is_minimum(scene) else "saddle"
        places += [(word, m, INK) for m in minima if box.contains(m)]
    if not places:
        return
    anchors = np.array([on_frame(p) for _, p, _ in places])
    avoid = np.concatenate([on_frame(_sampled(v.segments)) for v in views])
    labels = place_labels([t for t, _, _ in places], anchors, (points[0], points[1]), avoid=avoid)
    for label, (_, _, colour) in zip(labels, places, strict=True):
        _halo_text(axes, label.x / points[0], label.y / points[1], label.text, colour)


def _is_minimum(scene: _Scene) -> bool:
    return scene.found is None or scene.found.kind == "minimum"


def _halo_text(axes: Axes, x: float, y: float, text: str, colour: str, side: Literal["left", "right"] = "left") -> None:
    from matplotlib.patheffects import withStroke

    axes.text(
        x,
        y,
        text,
        transform=axes.transAxes,
        fontsize=8.5,
        color=colour,
        va="bottom",
        ha=side,
        zorder=10,
        path_effects=[withStroke(linewidth=2.6, foreground="white", alpha=0.9)],
    )


def _sampled(segments: Floats, per_segment: int = 8, most: int = 600) -> Floats:
    """Points along segments, for keeping words off them."""
    chosen = segments[:: max(1, len(segments) // (most // per_segment))]
    t = np.linspace(0, 1, per_segment)[None, :, None]
    return np.asarray(chosen[:, :1] * (1 - t) + chosen[:, 1:] * t).reshape(-1, 2)


def _distinct_points(points: Sequence[Floats], box: Box) -> list[Floats]:
    kept: list[Floats] = []
    for p in points:
        if not any(np.abs((p - q) / box.size).max() < 0.01 for q in kept):
            kept.append(p)
    return kept


def _tuple_text(p: Floats) -> str:
    return f"({', '.join(number(float(c)) for c in p)})"


def _off_words(view: PathView, variables: Sequence[str], box: Box) -> str:
    """Where a path that left the frame had got to: its coordinate farthest out."""
    k = int(np.argmax(np.abs((view.last - box.centre) / box.size)))
    return f"off to {variables[k]} = {number(float(view.last[k]))}"


def _few_ticks(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))


# -- one variable ---------------------------------------------------------------------------------------------------------


def _curve_figure(scene: _Scene, size: tuple[float, float] | None) -> Figure:
    rows = legend_height(len(scene.traces))
    width, height = size or (10.6, 4.9 + max(0.0, rows - 0.25))
    figure = new_figure(width, height)
    top = 0.95 + max(0.0, rows - 0.25)
    tall = height - top - 0.62
    wide = (width - 2.2) * 0.52
    _draw_curve(axes_at(figure, 0.72, 0.62, wide, tall), scene, (wide, tall))
    left = 0.72 + wide + 0.95
    _draw_loss(axes_at(figure, left, 0.62, width - left - 0.3, tall), scene)
    return figure


def _draw_curve(axes: Axes, scene: _Scene, inches: tuple[float, float]) -> None:
    assert scene.values is not None
    box = _box(scene, None)
    x = np.linspace(box.low[0], box.high[0], 500)
    y = scene.values(x[:, None])
    known = np.isfinite(y)
    if not known.any():
        return
    low, high = float(np.quantile(y[known], 0.0)), float(np.quantile(y[known], 0.995))
    room = 0.07 * (high - low) or 0.1 * max(abs(high), 1.0)
    frame = Box(np.array([box.low[0], low - room]), np.array([box.high[0], high + room]))
    axes.set_xlim(frame.low[0], frame.high[0])
    axes.set_ylim(frame.low[1], frame.high[1])
    axes.plot(x[known], np.clip(y[known], low - 3 * (high - low), high + 3 * (high - low)), color="#8C9AA6", lw=1.8, zorder=2)
    views = []
    for k, path in enumerate(scene.paths):
        heights = scene.values(path)
        whole = np.isfinite(heights)
        on_curve = np.stack([path[whole, 0], heights[whole]], axis=1)
        if not len(on_curve):
            continue
        view = path_view(on_curve, frame)
        views.append(view)
        if k == 0:
            _draw_tangents(axes, scene.values, _apart(view.points, frame, inches), frame, inches)
        _draw_steps(axes, view, _look(k))
    _name_places_on_curve(axes, scene, views, frame, inches)
    axes.set_xlabel(scene.variables[0], fontsize=10, color=INK, labelpad=2)
    axes.set_title("value, with tangents and steps", fontsize=9.5, color=MUTED, loc="left", pad=6)
    _few_ticks(axes)


def _draw_tangents(axes: Axes, values: Values, points: Floats, frame: Box, inches: tuple[float, float]) -> None:
    """A short piece of tangent at each of the first points, all equally long on the page."""
    from matplotlib.collections import LineCollection

    slope = slopes(values, points[:, 0], 1e-5 * float(frame.size[0]))
    per_inch = np.array(inches) / frame.size
    along = np.stack([np.ones(len(points)), slope], axis=1)
    length = np.hypot(*(along * per_inch).T)
    good = np.isfinite(length) & (length > 0)
    half = along[good] * (0.55 / length[good])[:, None]
    pieces = np.stack([points[good] - half, points[good] + half], axis=1)
    axes.add_collection(
        LineCollection(list(pieces), colors=INK, linewidths=0.9, linestyles=[(0, (4, 2))], alpha=0.8, zorder=3), autolim=False
    )


def _apart(points: Floats, frame: Box, inches: tuple[float, float], least: float = 0.45, most: int = 6) -> Floats:
    """The first few points that stand at least so many inches from each other."""
    at = points / frame.size * np.array(inches)
    kept: list[int] = []
    for k in range(len(at)):
        if all(np.hypot(*(at[k] - at[j])) >= least for j in kept):
            kept.append(k)
        if len(kept) == most:
            break
    return points[kept]


def _draw_steps(axes: Axes, view: PathView, look: _Look) -> None:
    """Each step as an arrow from a point to the next; beyond a dozen as lines."""
    span = view.segments[:, 1] - view.segments[:, 0]
    if len(view.segments) and len(view.segments) <= 60:
        axes.quiver(
            *view.segments[:, 0].T,
            *span.T,
            angles="xy",
            scale_units="xy",
            scale=1,
            color=look.colour,
            width=0.0035,
            headwidth=4,
            headlength=5,
            headaxislength=4.5,
            alpha=0.85,
            zorder=4,
        )
    else:
        _draw_path(axes, view, look, few=True)
    _draw_points(axes, view.points[:120], look, 4.6)


def _name_places_on_curve(
    axes: Axes, scene: _Scene, views: Sequence[PathView], frame: Box, inches: tuple[float, float]
) -> None:
    assert scene.values is not None
    minima = _anchors(scene)
    with_heights = np.concatenate([minima, scene.values(minima)[:, None]], axis=1) if len(minima) else np.zeros((0, 2))
    flat = _Scene(
        scene.traces,
        scene.goal,
        scene.labels,
        2,
        (scene.variables[0], "the value"),
        None,
        tuple(np.concatenate([p, scene.values(p)[:, None]], axis=1) for p in (q[:1] for q in scene.paths)),
        with_heights[np.all(np.isfinite(with_heights), axis=1)],
        scene.minimum,
        None if scene.found is None else Stationary(with_heights[0], scene.found.kind, scene.found.value),
    )
    _name_places(axes, flat, views, frame, inches)


# -- curves over the steps ------------------------------------------------------------------------------------------------


def _columns_figure(scene: _Scene, size: tuple[float, float] | None) -> Figure:
    """The loss, and the coordinates (or the gradient norm) over the steps."""
    panels = _panels(scene)
    rows = legend_height(len(scene.traces))
    width, height = size or (10.6 if panels else 7.2, 4.9 + max(0.0, rows - 0.25))
    figure = new_figure(width, height)
    top = 0.95 + max(0.0, rows - 0.25)
    tall = height - top - 0.62
    wide = (width - 2.0) * 0.5 if panels else width - 1.1
    _draw_loss(axes_at(figure, 0.8, 0.62, wide, tall), scene)
    if not panels:
        return figure
    columns = 1 if len(panels) <= 2 else 2
    lines = math.ceil(len(panels) / columns)
    left, gap_x, gap_y = 0.8 + wide + 0.75, 0.62, 0.34
    w = (width - left - 0.25 - gap_x * (columns - 1)) / columns
    h = (tall - 0.1 - gap_y * (lines - 1)) / lines
    for k, (name, view) in enumerate(panels):
        row, column = divmod(k, columns)
        bottom = 0.62 + tall - 0.1 - (row + 1) * h - row * gap_y
        axes = axes_at(figure, left + column * (w + gap_x), bottom, w, h)
        _draw_curves(axes, view, name, small=True)
        if row < lines - 1 and k + columns < len(panels):
            axes.set_xticklabels([])
            axes.set_xlabel("")
    return figure


def _panels(scene: _Scene) -> list[tuple[str, CurveView]]:
    if scene.dimensions:
        shown = min(scene.dimensions, MOST_COORDINATES)
        more = f"  (1 of {scene.dimensions})" if scene.dimensions > MOST_COORDINATES else ""
        return [(scene.variables[i] + more, coordinate_view(scene.traces, i)) for i in range(shown)]
    if all("grad_norm" in t and len(t.grad_norm) for t in scene.traces):
        return [("gradient norm", curve_view([(t.columns["grad_norm"].step, t.grad_norm) for t in scene.traces]))]
    return []


def _draw_loss(axes: Axes, scene: _Scene) -> None:
    view = loss_view(scene.traces, scene.minimum if _is_minimum(scene) else None)
    name = "loss" if view.offset == 0 else f"loss above the minimum {number(view.offset)}"
    _draw_curves(axes, view, name)


def _draw_curves(axes: Axes, view: CurveView, name: str, *, small: bool = False) -> None:
    axes.set_xlim(*view.xlim)
    if view.scale == "log":
        axes.set_yscale("log")
    axes.set_ylim(*view.ylim)
    _scale_ticks(axes, view, small)
    axes.grid(True, axis="y", color=FAINT, linewidth=0.6)
    for k, curve in enumerate(view.curves):
        look = _look(k)
        dots = len(curve.x) <= 40 and not small
        axes.plot(
            curve.x,
            curve.y,
            color=look.colour,
            linestyle=look.dash if len(view.curves) > 1 else "-",
            linewidth=1.6 if len(curve.x) < 1500 else 0.9,
            marker=look.marker if dots else None,
            markersize=3.8,
            markeredgecolor="white",
            markeredgewidth=0.5,
            zorder=3,
        )
        if curve.exit is not None and not small:
            _draw_exit(axes, view, k)
        if curve.broken is not None:
            axes.axvline(curve.broken, color=look.colour, linewidth=0.8, linestyle=(0, (2, 2)))
            if not small:
                _halo_text(axes, 0.98, 0.02, f"no number from step {curve.broken:,.0f}", look.colour, "right")
    axes.set_title(name, fontsize=9.5 if not small else 9, color=MUTED, loc="left", pad=5 if not small else 3)
    axes.set_xlabel("step", fontsize=9.5 if not small else 8.5, color=INK, labelpad=2)


def _draw_exit(axes: Axes, view: CurveView, k: int) -> None:
    """A triangle where a line leaves the frame, and where it had got to at the end."""
    curve = view.curves[k]
    assert curve.exit is not None
    step, side = curve.exit
    colour = _look(k).colour
    y = view.ylim[1] if side > 0 else view.ylim[0]
    axes.plot([step], [y], marker="^" if side > 0 else "v", color=colour, markersize=7, clip_on=False, zorder=6)
    left = (step - view.xlim[0]) / (view.xlim[1] - view.xlim[0])
    words = f"to {number(curve.last + view.offset)}" if not math.isnan(curve.last) else "then no number"
    _halo_text(
        axes,
        left + (0.02 if left < 0.7 else -0.02),
        0.965 if side > 0 else 0.01,
        words,
        colour,
        "left" if left < 0.7 else "right",
    )


def _scale_ticks(axes: Axes, view: CurveView, small: bool) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.xaxis.set_major_locator(MaxNLocator(4 if small else 7, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    if view.scale == "log":
        axes.yaxis.set_major_locator(FixedLocator(_log_ticks(*view.ylim, 4 if small else 8)))
        axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4 if small else 6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    """Whole powers of ten, evenly apart, at most so many; 2 and 5 times them where there are fewer than three."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first < 2:
        fine = [m * 10.0**e for e in range(first - 1, last + 1) for m in (1, 2, 5)]
        return [v for v in fine if low <= v <= high]
    every = math.ceil((last - first + 1) / most)
    return [10.0**e for e in range(first, last + 1) if e % every == 0]
