"""Maps of planes: colour for how a descent went, black where it diverged, the predicted limit drawn over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.figures.basins import basins
from descend.figures.cells import cells
from descend.figures.data import number
from descend.figures.palette import DIVERGED, MISSING, NONE, SHADES, blocks, column, ramp_palette
from descend.figures.style import DPI, INK, MUTED, axes_at, new_figure, power_of_ten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BY", "DIVERGED", "MISSING", "NONE", "SHADES", "MapView", "draw_plane", "map_view", "pixels"]

Floats = NDArray[np.float64]

#: What a map can be coloured by, and what the colour bar says.
BY = {
    "rate": "factor per step",
    "steps": "steps to the tolerance",
    "loss": "final loss, by rank",
    "basin": "where it comes to rest; bright: soon",
}


@dataclass(frozen=True)
class MapView:
    """A map as plain data: a place in the palette for each descent, and what the colours mean."""

    by: str
    #: Shape (rows, columns), the second axis upwards: 0…SHADES−1 of the ramp (0: slow or high), NONE, MISSING or DIVERGED.
    index: NDArray[np.uint8]
    #: Shape (256, 3).
    palette: NDArray[np.uint8]
    #: (place between 0 and 1, text) along the ramp; for basins (shade of the basin's colour, the point in words).
    ticks: tuple[tuple[float, str], ...]
    #: What NONE stands for, where it occurs.
    none: str = ""

    @property
    def title(self) -> str:
        return BY[self.by]


def map_view(plane: Any, by: str | None = None) -> MapView:
    """Colours of a plane with one or two axes; rows are the second axis, upwards, columns the first.

    Without `by`: steps to the tolerance where at least a tenth of the runs got there, else the final loss by rank.
    """
    outcome = column(plane, "outcome")
    missing, diverged = outcome < 0, np.isin(outcome, (3, 4))
    reached = column(plane, "steps_to")
    if by is None:
        by = "steps" if np.mean(reached[~missing] >= 0 if (~missing).any() else False) >= 0.1 else "loss"
    if by not in BY:
        raise DescendError(f"a map is coloured by {', '.join(BY)}; got {by!r}")
    if by == "steps" and plane.config.get("minimum", 0.0) is None:
        raise DescendError("no step reaches a tolerance where the objective's minimum is not known; colour by rate or loss")
    index = np.full(outcome.shape, NONE, dtype=np.uint8)
    if by == "basin":
        found = basins(plane, ~missing & ~diverged)
        index, palette, ticks, none = found.index, found.palette, found.ticks, "at rest elsewhere, or nowhere yet"
    else:
        values = {"rate": column(plane, "rate"), "steps": reached, "loss": column(plane, "loss")}[by]
        shown = np.isfinite(values) & ~missing & ~diverged & ((values >= 0) | (by != "steps"))
        place, ticks = _SHADES[by](values[shown], plane)
        for rows in blocks(shown.shape):  # a large map a part at a time, or it would need ten times its own memory
            index[rows][shown[rows]] = place(values[rows][shown[rows]])
        palette = ramp_palette()
        none = f"not within {int(plane.config.get('steps', 0)):,} steps" if by == "steps" else "no number"
    index[diverged], index[missing] = DIVERGED, MISSING
    return MapView(by, index, palette, ticks, none if (index == NONE).any() else "")


#: From values to places in the ramp (0: slow or high), and ticks (part of the ramp from slow to fast, text).
Shaded = tuple[Callable[[Any], NDArray[np.uint8]], tuple[tuple[float, str], ...]]


def _of_shade(shade: Any) -> NDArray[np.uint8]:
    """The place in the ramp of shades from 0, fast or low, to 1."""
    return np.asarray(np.round((1 - shade) * (SHADES - 1)), np.uint8)


def _by_rank(values: NDArray[Any], plane: Any) -> Shaded:
    """The place of each value among all: every colour takes the same area (CDF-equalised)."""
    if not values.size:
        return _of_shade, ()
    ordered = np.sort(values)
    most = len(ordered) - 1
    # a place changes at 239 ranks only: their values are looked through sooner than all are
    low, high = np.zeros(SHADES - 1, np.int64), np.full(SHADES - 1, most + 1)
    while np.any(low < high):  # the first rank at each place or a darker one
        middle = (low + high) // 2
        there = _of_shade(middle / max(most, 1)) <= np.arange(SHADES - 1)
        low, high = np.where(there, low, middle + 1), np.where(there, middle, high)
    edges = np.sort(ordered[low[low <= most] - 1])

    def place(values: Any) -> NDArray[np.uint8]:
        return np.asarray(SHADES - 1 - np.searchsorted(edges, values), np.uint8)

    places = (1.0, 0.75, 0.5, 0.25, 0.0)
    return place, tuple(zip((1 - q for q in places), _apart([float(ordered[round(q * most)]) for q in places]), strict=True))


def _apart(values: list[float]) -> list[str]:
    """Values in words, with as many digits as tell them apart."""
    for digits in range(3, 10):
        texts = [number(v, digits) for v in values]
        if len(set(texts)) == len(set(values)):
            break
    return texts


def _by_log(values: NDArray[Any], plane: Any) -> Shaded:
    high = float(max(plane.config.get("steps", 1), 2))
    marks = [v for v in (1, 10, 100, 1000, 10_000, 100_000) if v < high / 1.5]
    ticks = ((0.0, f"{int(high):,}"), *((1 - float(np.log(v) / np.log(high)), f"{v:,}") for v in reversed(marks)))
    return lambda values: _of_shade(np.log(np.maximum(values, 1.0)) / np.log(high)), ticks


def _by_rate(values: NDArray[Any], plane: Any) -> Shaded:
    """Rates between 0 and 1, spread so that .9, .99 and .999 stay apart."""

    def shade(rate: Any) -> Floats:
        return np.asarray(1 - np.log10(1 + 999 * np.clip(1 - np.asarray(rate, np.float64), 0, 1)) / 3)

    return lambda values: _of_shade(shade(values)), tuple((1 - float(shade(v)), f"{v:g}") for v in (1.0, 0.999, 0.99, 0.9, 0.0))


_SHADES = {"rate": _by_rate, "steps": _by_log, "loss": _by_rank}


def pixels(view: MapView) -> NDArray[np.uint8]:
    """The map as an image, one pixel per descent, top row first: shape (rows, columns, 3)."""
    return np.asarray(view.palette[view.index[::-1]])


def draw_plane(plane: Any, by: str | None = None, *, limit: bool = True, title: str | None = None) -> Figure:
    """The map of a plane with axes, colour bar, its best point and the predicted limit; one pixel per descent or more."""
    view = map_view(plane, by)
    rows, columns = view.index.shape
    scale = max(1, round(620 / max(rows, columns)))
    wide, high = columns * scale / DPI, max(rows * scale / DPI, 0.6)
    left, bottom, top, right = 0.9, 0.75, 0.95, 1.9 if view.by == "basin" else 1.35
    figure = new_figure(max(left + wide + right, 5.5), bottom + high + top)
    axes = axes_at(figure, left, bottom, wide, high, framed=True)
    names = list(plane.axes)
    extent = (0.0, float(columns), 0.0, float(rows))
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])
    cells(axes, view.palette, view.index)
    _ticks(axes.xaxis, plane.axes[names[0]])
    axes.set_xlabel(names[0], color=INK)
    if len(names) == 2:
        _ticks(axes.yaxis, plane.axes[names[1]])
        axes.set_ylabel(names[1], color=INK)
    else:
        axes.set_yticks([])
    if limit:
        _draw_limit(axes, plane, names)
    _bar(figure, view, (left + wide + 0.25, bottom, 0.16, high))
    config = plane.config
    height = bottom + high
    fixed = ", ".join(f"{k} {v:g}" for k, v in config.get("hyperparameters", {}).items() if isinstance(v, float))
    _words(
        figure,
        left,
        height + 0.58,
        title or f"{config.get('objective', '')}   ·   {config.get('optimizer', '')}",
        12,
        INK,
        "bold",
    )
    told = (
        f"{config.get('steps', 0):,} steps from {_point(config.get('start'))}{'; ' + fixed if fixed else ''}; black: diverged"
    )
    _words(figure, left, height + 0.3, told, 8.5, MUTED)
    return figure


def _words(figure: Figure, x: float, y: float, text: str, size: float, colour: str, weight: str = "normal") -> None:
    width, height = figure.get_size_inches()
    figure.text(x / width, y / height, text, fontsize=size, color=colour, fontweight=weight, parse_math=False)


def _point(start: Any) -> str:
    return "the start" if not start else "(" + ", ".join(number(v) for v in start) + ")"


def _cell(axis: Any, values: Any) -> Floats:
    """Places in cells along an axis (centres at .5) of values on its scale."""
    ends = axis.values
    values = np.asarray(values, dtype=np.float64)
    if len(ends) == 1:
        return np.full(values.shape, 0.5)
    with np.errstate(all="ignore"):
        if axis.scale == "log":
            part = np.log(values / ends[0]) / np.log(ends[-1] / ends[0])
        else:
            part = (values - ends[0]) / (ends[-1] - ends[0])
    return np.asarray(part * (len(ends) - 1) + 0.5)


def _ticks(target: Any, axis: Any) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator

    low, high = float(axis.values[0]), float(axis.values[-1])
    log = axis.scale == "log" and high / low >= 10
    marks = LogLocator().tick_values(low, high) if log else MaxNLocator(6).tick_values(low, high)
    slack = 1e-9 * (high - low)
    inside = np.array([m for m in marks if low - slack <= m <= high + slack])
    target.set_ticks(_cell(axis, inside).tolist(), [power_of_ten(m) if log else _plain_number(m, inside) for m in inside])


def _plain_number(value: float, marks: Any) -> str:
    """Digits enough to tell neighbouring ticks apart, also deep in a zoom."""
    gap = float(np.min(np.diff(marks))) if len(marks) > 1 else abs(value)
    places = max(0, int(np.ceil(-np.log10(gap) + 1))) if gap > 0 else 0
    return f"{round(value, places):.15g}".replace("-", "−")


def _draw_limit(axes: Any, plane: Any, names: list[str]) -> None:
    found = plane.limit()
    if found is None:
        return
    others, limits = found
    along = _cell(plane.axes["lr"], limits)
    across = _cell(plane.axes[names[1 - names.index("lr")]], others) if len(names) == 2 else np.array([0.0, 1.0])
    along = along if len(names) == 2 else np.repeat(along, 2)
    bounds = axes.get_xlim(), axes.get_ylim()
    x, y = (along, across) if names[0] == "lr" else (across, along)
    axes.plot(x, y, color="white", linewidth=2.6, solid_capstyle="butt")
    axes.plot(x, y, color="#0072B2", linewidth=1.4, linestyle=(0, (5, 2)), label="predicted limit")
    axes.set_xlim(bounds[0])
    axes.set_ylim(bounds[1])
    axes.legend(loc="upper left", fontsize=8, framealpha=0.85, edgecolor="none")


def _bar(figure: Figure, view: MapView, place: tuple[float, float, float, float]) -> None:
    if view.by == "basin":
        _swatches(figure, view, place)
        return
    axes = axes_at(figure, *place, framed=True)
    axes.imshow(view.palette[:SHADES, None], extent=(0, 1, 0, 1), aspect="auto", origin="lower", interpolation="nearest")
    axes.set_xticks([])
    axes.yaxis.tick_right()
    axes.set_yticks([t for t, _ in view.ticks], [text for _, text in view.ticks])
    axes.yaxis.set_label_position("right")
    axes.set_ylabel(view.title, color=INK, fontsize=8.5)


def _swatches(figure: Figure, view: MapView, place: tuple[float, float, float, float]) -> None:
    """One square for each basin, its point beside it."""
    left, bottom, width, height = place
    told = [(view.palette[round(shade)], text) for shade, text in view.ticks]
    if view.none:
        told.append((view.palette[NONE], "elsewhere"))
    for k, (colour, text) in enumerate(told):
        axes = axes_at(figure, left, bottom + height - 0.16 - 0.26 * k, width, 0.16, framed=True)
        axes.imshow(colour[None, None], aspect="auto")
        axes.set_xticks([])
        axes.set_yticks([])
        _words(figure, left + width + 0.08, bottom + height - 0.13 - 0.26 * k, text, 8.5, INK)
