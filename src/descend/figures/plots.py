"""Traces as one picture: the path on its surface, and the loss beside it.

One variable: the curve with the points on it, their tangents and the steps. Two: contours, downhill arrows and the paths.
More, or no objective: the coordinates over the steps. What is shown is worked out in `data`, `field`, `scene` and `labels`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from descend.errors import DescendError
from descend.figures.data import outcome_words
from descend.figures.ground import draw_curve, draw_plane
from descend.figures.scene import Scene, goal_of, scene_of
from descend.figures.steps import draw_loss, draw_panels, panels_of
from descend.figures.style import INK, MUTED, axes_at, fitted, look_of, new_figure
from descend.trace import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_traces"]

#: Inches: from the lower edge to the axes, and between the two halves.
BOTTOM, GAP = 0.62, 0.95


def draw_traces(
    traces: Sequence[Trace],
    goal: Any = None,
    stability: Any = None,
    title: str | None = None,
    size: tuple[float, float] | None = None,
) -> Figure:
    """Draw traces in one figure: paths on the surface where there are one or two variables, and the loss curves.

    `goal` is the Objective that was minimised. Without it the one that the traces name is read again where it is an
    expression or a named surface; `goal=False` draws curves only. `stability` is one Stability
    statement, or a list with one (or None) per trace: the lr is then compared with its limit. `size` is (width, height) in
    inches. Nothing that is not finite is ever drawn: a run that diverges leaves the frame, and the figure says where to.

    >>> from descend.trace import Trace, column
    >>> figure = draw_traces([Trace({"loss": column(range(3), [43.0, 14.56, 7.2448])})])
    >>> len(figure.axes)
    1
    """
    traces = list(traces)
    if not traces:
        raise DescendError("there is nothing to draw: give at least one trace")
    for i, trace in enumerate(traces):
        if "loss" not in trace or not len(trace.loss):
            raise DescendError(f"trace {i + 1} of {len(traces)} has no losses to draw")
    scene = scene_of(traces, goal_of(traces) if goal is None else goal or None)
    surface = scene.values is not None and scene.dimensions in (1, 2)
    panels = surface or bool(panels_of(scene))
    legend = max(0.0, _legend_height(len(traces)) - 0.25)
    width, height = size or (10.6 if panels else 7.4, (5.4 if scene.dimensions == 2 and surface else 5.0) + legend)
    figure = new_figure(width, height)
    tall = height - BOTTOM - 0.95 - legend
    if not panels:
        draw_loss(axes_at(figure, 0.8, BOTTOM, width - 1.1, tall), scene)
    elif surface:
        _draw_surface(figure, scene, width, tall)
    else:
        half = (width - 2.0) / 2
        draw_loss(axes_at(figure, 0.8, BOTTOM, half, tall), scene)
        draw_panels(figure, scene, 0.8 + half + 0.75, BOTTOM, width - half - 1.8, tall - 0.05)
    _draw_heading(figure, scene, stability, title)
    return figure


def _draw_surface(figure: Figure, scene: Scene, width: float, tall: float) -> None:
    """The surface on the left, the loss on the right."""
    left = 0.7
    if scene.dimensions == 2:
        wide = min(tall * 1.12, (width - 2.0) * 0.52)
        draw_plane(axes_at(figure, left, BOTTOM, wide, tall, framed=True), scene, (wide, tall))
    else:
        wide = (width - 2.2) * 0.52
        draw_curve(axes_at(figure, left, BOTTOM, wide, tall), scene, (wide, tall))
    right = left + wide + GAP
    draw_loss(axes_at(figure, right, BOTTOM, width - right - 0.3, tall), scene)


# -- headings -------------------------------------------------------------------------------------------------------------


def _draw_heading(figure: Figure, scene: Scene, stability: Any, title: str | None) -> None:
    """Title and, below it, what happened in words; with several traces, a legend that says it of each."""
    width, height = figure.get_size_inches()
    figure.text(
        0.2 / width,
        1 - 0.32 / height,
        fitted(title or _title(scene), width, 13),
        fontsize=13,
        fontweight="bold",
        color=INK,
        va="baseline",
    )
    if len(scene.traces) > 1:
        _draw_legend(figure, scene, stability)
        return
    trace = scene.traces[0]
    words = " ".join(
        part for part in (trace.outcome.message if trace.outcome else "", _limit_words(stability, 0, "{}.")) if part
    )
    figure.text(0.2 / width, 1 - 0.57 / height, fitted(words, width, 9.5), fontsize=9.5, color=MUTED, va="baseline")


def _title(scene: Scene) -> str:
    goal = scene.goal
    text = str(scene.traces[0].config.get("objective", "")) if goal is None else goal.text
    named = goal is not None and goal.name and goal.name not in goal.text
    if named:
        name = goal.name.replace("_", " ").capitalize()
        text = f"{name}: {text}" if len(text) <= 48 else name
    text = text if len(text) <= 60 else f"{text[:58]}…"
    label = scene.labels[0] if len(scene.traces) == 1 else ""
    return "   ·   ".join(part for part in (text, label) if part) or "Loss"


def _limit_words(stability: Any, k: int, form: str) -> str:
    one = stability[k] if isinstance(stability, list | tuple) and k < len(stability) else stability
    ratio = getattr(one, "ratio", None)
    if ratio is None or not math.isfinite(ratio):
        return ""
    return form.format(f"lr is {ratio:.3g} times the largest stable one")


def _legend_height(count: int) -> float:
    return 0.0 if count < 2 else 0.23 * math.ceil(count / 2) + 0.08


def _draw_legend(figure: Figure, scene: Scene, stability: Any) -> None:
    """Two columns under the title: line and marker, label, outcome."""
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    for k, (trace, label) in enumerate(zip(scene.traces, scene.labels, strict=True)):
        row, column = divmod(k, 2)
        x, y = 0.2 + column * (width - 0.4) / 2, height - 0.58 - 0.23 * row
        look = look_of(k)
        line = Line2D(
            [x / width, (x + 0.21) / width, (x + 0.42) / width],
            [(y + 0.045) / height] * 3,
            color=look.colour,
            linestyle=look.dash,
            linewidth=1.6,
            marker=look.marker,
            markevery=[1],
            markersize=5,
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
        figure.add_artist(line)
        note = _limit_words(stability, k, "  ({})") if isinstance(stability, list | tuple) else ""
        words = fitted(f"{label}:  {outcome_words(trace)}{note}", (width - 1.2) / 2, 9)
        figure.text((x + 0.52) / width, y / height, words, fontsize=9, color=INK, va="baseline")
