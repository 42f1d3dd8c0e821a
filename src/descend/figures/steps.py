"""Curves over the steps: the loss, and the coordinates or the gradient norm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from descend.figures.data import CurveView, coordinate_view, curve_view, loss_view, number
from descend.figures.scene import Scene
from descend.figures.style import FAINT, INK, MUTED, axes_at, halo_text, look_of, plain_ticks, power_of_ten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_curves", "draw_loss", "draw_panels", "panels_of"]

#: At most so many coordinates get a curve of their own.
MOST_COORDINATES = 6


def draw_loss(axes: Axes, scene: Scene) -> None:
    """The loss curves, above the minimum's value where that is known and is not 0."""
    known = scene.minimum if scene.level_word == "minimum" else None
    view = loss_view(scene.traces, known)
    draw_curves(axes, view, "loss" if view.offset == 0 else f"loss above the minimum, {number(view.offset)}")


def panels_of(scene: Scene) -> list[tuple[str, CurveView]]:
    """What is drawn beside the loss where there is no surface: name and curves of each panel."""
    if scene.dimensions:
        shown = min(scene.dimensions, MOST_COORDINATES)
        return [(scene.variables[i], coordinate_view(scene.traces, i)) for i in range(shown)]
    if all("grad_norm" in t and len(t.grad_norm) for t in scene.traces):
        return [("gradient norm", curve_view([(t.columns["grad_norm"].step, t.grad_norm) for t in scene.traces]))]
    return []


def draw_panels(figure: Figure, scene: Scene, left: float, bottom: float, width: float, height: float) -> None:
    """Small panels in one or two columns; all lengths in inches."""
    panels = panels_of(scene)
    columns = 1 if len(panels) <= 2 else 2
    lines = math.ceil(len(panels) / columns)
    gap_x, gap_y = 0.62, 0.34
    w = (width - gap_x * (columns - 1)) / columns
    h = (height - gap_y * (lines - 1)) / lines
    for k, (name, view) in enumerate(panels):
        row, column = divmod(k, columns)
        axes = axes_at(figure, left + column * (w + gap_x), bottom + height - (row + 1) * h - row * gap_y, w, h)
        draw_curves(axes, view, name, small=True)
        if k + columns < len(panels):
            axes.set_xticklabels([])
            axes.set_xlabel("")
    if scene.dimensions > MOST_COORDINATES:
        hidden = scene.dimensions - MOST_COORDINATES
        size = figure.get_size_inches()
        words = f"and {hidden} more coordinates"
        figure.text((left + width) / size[0], 0.12 / size[1], words, fontsize=8.5, color=MUTED, ha="right")


def draw_curves(axes: Axes, view: CurveView, name: str, *, small: bool = False) -> None:
    """Curves on common axes, each with its look; a line that leaves the frame says where to."""
    axes.set_xlim(*view.xlim)
    if view.scale == "log":
        axes.set_yscale("log")
    axes.set_ylim(*view.ylim)
    _scale_ticks(axes, view, small)
    axes.grid(True, axis="y", color=FAINT, linewidth=0.6)
    for k, curve in enumerate(view.curves):
        look = look_of(k)
        axes.plot(
            curve.x,
            curve.y,
            color=look.colour,
            linestyle=look.dash if len(view.curves) > 1 else "-",
            linewidth=1.6 if len(curve.x) < 1500 else 0.9,
            marker=look.marker if len(curve.x) <= 40 and not small else None,
            markersize=3.8,
            markeredgecolor="white",
            markeredgewidth=0.5,
            zorder=3,
        )
        if curve.exit is not None and not small:
            _draw_exit(axes, view, k)
        if curve.broken is not None and curve.exit is None:
            axes.axvline(curve.broken, color=look.colour, linewidth=0.8, linestyle=(0, (2, 2)))
            if not small:
                halo_text(axes, 0.98, 0.02 + 0.05 * k, f"no number from step {curve.broken:,.0f}", look.colour, "right")
    axes.set_title(name, fontsize=9 if small else 9.5, color=MUTED, loc="left", pad=3 if small else 5)
    axes.set_xlabel("step", fontsize=8.5 if small else 9.5, color=INK, labelpad=2)


def _draw_exit(axes: Axes, view: CurveView, k: int) -> None:
    """A triangle where a line leaves the frame, and where it had got to at the end."""
    curve = view.curves[k]
    assert curve.exit is not None
    step, side = curve.exit
    colour = look_of(k).colour
    y = view.ylim[1] if side > 0 else view.ylim[0]
    axes.plot([step], [y], marker="^" if side > 0 else "v", color=colour, markersize=7, clip_on=False, zorder=6)
    left = (step - view.xlim[0]) / (view.xlim[1] - view.xlim[0])
    words = f"to {number(curve.last)} at step {curve.last_step:,.0f}"
    near = 0.02 if left < 0.6 else -0.02
    halo_text(axes, left + near, 0.95 if side > 0 else 0.01, words, colour, "left" if near > 0 else "right")


def _scale_ticks(axes: Axes, view: CurveView, small: bool) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.xaxis.set_major_locator(MaxNLocator(4 if small else 7, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    if view.scale == "log":
        axes.yaxis.set_major_locator(FixedLocator(log_ticks(*view.ylim, 4 if small else 8)))
        axes.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        plain_ticks(axes.yaxis, *view.ylim, 4 if small else 6)


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Whole powers of ten, evenly apart, at most so many; 2 and 5 times them too where there would be fewer than three.

    >>> log_ticks(0.5, 3e4, 3), log_ticks(3.0, 30.0, 8)
    ([1.0, 100.0, 10000.0], [5.0, 10.0, 20.0])
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first < 2:
        fine = [m * 10.0**e for e in range(first - 1, last + 1) for m in (1, 2, 5)]
        return [v for v in fine if low <= v <= high]
    every = math.ceil((last - first + 1) / most)
    return [10.0**e for e in range(first, last + 1) if e % every == 0]
