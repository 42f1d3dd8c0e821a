"""Paths on their surface: contours and arrows for two variables; the curve, its tangents and the steps for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from descend.figures.data import Box, Floats, PathView, clip_segments, path_view
from descend.figures.field import Values, field_on, slopes
from descend.figures.labels import place_labels
from descend.figures.scene import Place, Scene, name_places
from descend.figures.style import INK, MUTED, Look, halo_text, look_of, plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_contours", "draw_curve", "draw_path", "draw_places", "draw_plane", "name_vertical"]

#: Pale ground for the contours, from the valley floor up.
GROUND = ("#D6E2EB", "#FBFCFD")
TANGENT = "#B5482A"

Inches = tuple[float, float]


# -- two variables --------------------------------------------------------------------------------------------------------


def draw_plane(axes: Axes, scene: Scene, inches: Inches) -> None:
    """Contours, downhill arrows, the paths, and the places worth naming; `inches` is the frame's size."""
    assert scene.values is not None
    box = scene.box(inches[0] / inches[1])
    set_view(axes, box)
    draw_contours(axes, scene.values, box, scene.minimum if len(scene.level_points()) else None)
    views = [path_view(p, box) for p in scene.paths]
    for k, view in enumerate(views):
        draw_path(axes, view, look_of(k), alone=len(views) == 1)
    places = name_places(scene, views, box, scene.level_points(), [p[0] for p in scene.paths])
    draw_places(axes, places, views, box, inches)
    axes.set_xlabel(scene.variables[0], fontsize=10, color=INK, labelpad=2)
    name_vertical(axes, scene.variables[1])


def set_view(axes: Axes, box: Box) -> None:
    """The frame's limits, with a few plain ticks."""
    axes.set_xlim(box.low[0], box.high[0])
    axes.set_ylim(box.low[1], box.high[1])
    plain_ticks(axes.xaxis, box.low[0], box.high[0], 7)
    plain_ticks(axes.yaxis, box.low[1], box.high[1], 7)


def name_vertical(axes: Axes, name: str) -> None:
    """The vertical axis' name, upright above its ticks, where no tick is ever in its way."""
    axes.text(-0.012, 1.02, name, transform=axes.transAxes, fontsize=10, color=INK, ha="right", va="bottom")


def draw_contours(axes: Axes, values: Values, box: Box, minimum: float | None, *, arrows: bool = True) -> None:
    """Filled contours in pale shades, thin lines between them, and arrows that point downhill."""
    from matplotlib.colors import LinearSegmentedColormap

    field = field_on(values, box, minimum=minimum)
    if len(field.levels) < 2:
        return
    known = np.ma.masked_invalid(field.values)
    shades = LinearSegmentedColormap.from_list("ground", GROUND)(np.linspace(0, 1, len(field.levels) + 1))
    lowest = float(known.min())
    floor = min(lowest, field.levels[0]) - 1e-6 * float(field.levels[-1] - field.levels[0])
    axes.contourf(field.x, field.y, known, levels=[floor, *field.levels], colors=shades, extend="max", zorder=0)
    axes.contour(field.x, field.y, known, levels=field.levels, colors="#A9B7C4", linewidths=0.6, zorder=1)
    if not arrows or not len(field.arrows):
        return
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


def draw_path(axes: Axes, view: PathView, look: Look, *, alone: bool) -> None:
    """The path as unbroken lines; its points where there are few; an arrow where it leaves for good."""
    from matplotlib.collections import LineCollection

    lines = view.lines()
    style = "-" if alone or len(lines) > 50 else look.dash
    width = 1.5 if len(view.segments) < 400 else 1.0
    axes.add_collection(
        LineCollection(lines, colors=look.colour, linewidths=width, linestyles=[style], zorder=4), autolim=False
    )
    if len(view.points) <= (120 if alone else 45):
        draw_points(axes, view.points, look, 4.4 if alone else 3.8)
    if view.exit is not None:
        draw_exit(axes, view.exit, look)


def draw_exit(axes: Axes, leaving: tuple[Floats, Floats], look: Look) -> None:
    """An arrowhead on the frame."""
    tip, along = leaving
    width, height = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    back = along / (float(np.hypot(along[0] / width, along[1] / height)) or 1.0) * 0.01
    axes.annotate(
        "",
        xy=tuple(tip),
        xytext=tuple(tip - back),
        arrowprops={"arrowstyle": "-|>", "color": look.colour, "lw": 1.5, "mutation_scale": 13, "shrinkA": 0, "shrinkB": 0},
        annotation_clip=False,
        zorder=6,
    )


def draw_points(axes: Axes, points: Floats, look: Look, size: float) -> None:
    axes.plot(
        *points.T, look.marker, color=look.colour, markersize=size, markeredgecolor="white", markeredgewidth=0.5, zorder=5
    )


def draw_places(axes: Axes, places: Sequence[Place], views: Sequence[PathView], box: Box, inches: Inches) -> None:
    """Mark each place, and put its words where they cover little."""
    for place in places:
        look = look_of(place.run or 0)
        if place.kind == "level":
            axes.plot(*place.point, marker="+", color=INK, markersize=11, markeredgewidth=1.6, zorder=7)
        elif place.kind == "start":
            axes.plot(
                *place.point, marker="o", color="white", markersize=7.5, markeredgecolor=INK, markeredgewidth=1.5, zorder=8
            )
        elif place.kind == "end":
            axes.plot(
                *place.point,
                marker=look.marker,
                color=look.colour,
                markersize=8,
                markeredgecolor=INK,
                markeredgewidth=1.1,
                zorder=9,
            )
    points = np.array(inches) * 72
    named = [p for p in places if p.text]
    if not named:
        return
    at = np.array([(p.point - box.low) / box.size * points for p in places])
    along = np.concatenate([(_sampled(v.segments) - box.low) / box.size * points for v in views])
    anchors = at[[bool(p.text) for p in places]]
    labels = place_labels([p.text for p in named], anchors, (points[0], points[1]), avoid=np.concatenate([along, at]))
    for label, place in zip(labels, named, strict=True):
        colour = INK if place.run is None else look_of(place.run).colour
        halo_text(axes, label.x / points[0], label.y / points[1], label.text, colour)


def _sampled(segments: Floats, per_segment: int = 8, most: int = 600) -> Floats:
    """Points along segments, for keeping words off them."""
    chosen = segments[:: max(1, len(segments) * per_segment // most)]
    t = np.linspace(0, 1, per_segment)[None, :, None]
    return np.asarray(chosen[:, :1] * (1 - t) + chosen[:, 1:] * t).reshape(-1, 2)


# -- one variable ---------------------------------------------------------------------------------------------------------


def draw_curve(axes: Axes, scene: Scene, inches: Inches) -> None:
    """The curve, the visited points, tangents at the first of them, and each step: along x by −lr·slope, then to the curve."""
    values = scene.values
    assert values is not None
    box = scene.box()
    x = np.linspace(box.low[0], box.high[0], 500)
    y = values(x[:, None])
    known = np.isfinite(y)
    if not known.any():
        return
    low, high = float(y[known].min()), float(np.quantile(y[known], 0.995))
    room = 0.07 * (high - low) or 0.1 * max(abs(high), 1.0)
    frame = Box(np.array([box.low[0], low - 1.7 * room]), np.array([box.high[0], high + room]))
    set_view(axes, frame)
    axes.plot(x[known], np.minimum(y[known], high + 3 * (high - low)), color="#8C9AA6", lw=1.8, zorder=2)
    views = []
    for k, path in enumerate(scene.paths):
        on_curve = with_heights(values, path)
        view = path_view(on_curve, frame)
        stairs = path_view(_staircase(on_curve), frame)
        views.append(replace(view, segments=stairs.segments, exit=stairs.exit))
        if k == 0:
            _draw_tangents(axes, values, _apart(view.points, frame, inches), frame, inches)
        _draw_steps(axes, on_curve, frame, look_of(k))
        draw_points(axes, view.points[:120], look_of(k), 4.6)
        if stairs.exit is not None:
            draw_exit(axes, stairs.exit, look_of(k))
    level = with_heights(values, scene.level_points()) if len(scene.level_points()) else np.zeros((0, 2))
    starts = [with_heights(values, p[:1])[0] for p in scene.paths]
    draw_places(axes, name_places(scene, views, frame, level, starts), views, frame, inches)
    axes.set_xlabel(scene.variables[0], fontsize=10, color=INK, labelpad=2)
    axes.set_title("the curve, its tangents (dashed) and the steps", fontsize=9.5, color=MUTED, loc="left", pad=6)


def with_heights(values: Values, path: Floats) -> Floats:
    """Points (n, 1) with their values, (n, 2), up to the first without one."""
    heights = values(path)
    whole = np.isfinite(heights)
    n = len(path) if whole.all() else max(1, int(np.argmin(whole)))
    return np.stack([path[:n, 0], np.nan_to_num(heights[:n])], axis=1)


def _staircase(on_curve: Floats) -> Floats:
    """Points (n, 2) with the corner of each step between them: first along x, then to the curve."""
    stairs = np.repeat(on_curve, 2, axis=0)[1:]
    stairs[::2, 1] = on_curve[:, 1]
    stairs[1::2, 1] = on_curve[:-1, 1]
    stairs[1::2, 0] = on_curve[1:, 0]
    return stairs


def _draw_tangents(axes: Axes, values: Values, points: Floats, frame: Box, inches: Inches) -> None:
    """A short piece of tangent at each of these points, all equally long on the page."""
    from matplotlib.collections import LineCollection

    slope = slopes(values, points[:, 0], 1e-5 * float(frame.size[0]))
    per_inch = np.array(inches) / frame.size
    along = np.stack([np.ones(len(points)), slope], axis=1)
    length = np.hypot(*(along * per_inch).T)
    good = np.isfinite(length) & (length > 0)
    half = along[good] * (0.75 / length[good])[:, None]
    pieces = np.stack([points[good] - half, points[good] + half], axis=1)
    axes.add_collection(
        LineCollection(list(pieces), colors=TANGENT, linewidths=1.1, linestyles=[(0, (4, 2))], zorder=3), autolim=False
    )


def _apart(points: Floats, frame: Box, inches: Inches, least: float = 0.5, most: int = 6) -> Floats:
    """The first few points that stand at least so many inches from each other."""
    at = points / frame.size * np.array(inches)
    kept: list[int] = []
    for k in range(len(at)):
        if all(np.hypot(*(at[k] - at[j])) >= least for j in kept):
            kept.append(k)
        if len(kept) == most:
            break
    return points[kept]


def _draw_steps(axes: Axes, on_curve: Floats, frame: Box, look: Look, most: int = 60) -> None:
    """Each step as an arrow along x, and a dotted line from its tip to the curve; repeated and later ones are left out."""
    from matplotlib.collections import LineCollection

    if len(on_curve) < 2:
        return
    here = on_curve[:-1]
    there = np.stack([on_curve[1:, 0], here[:, 1]], axis=1)
    across, seen = clip_segments(np.stack([here, there], axis=1)[:most], frame)
    down, met = clip_segments(np.stack([there, on_curve[1:]], axis=1)[:most], frame)
    across = across[seen]
    axes.quiver(
        *across[:, 0].T,
        *(across[:, 1] - across[:, 0]).T,
        angles="xy",
        scale_units="xy",
        scale=1,
        color=look.colour,
        width=0.0034,
        headwidth=4.2,
        headlength=5.5,
        headaxislength=5,
        zorder=4,
    )
    axes.add_collection(
        LineCollection(list(down[met]), colors=look.colour, linewidths=0.9, linestyles=[(0, (1, 1.5))], zorder=4), autolim=False
    )
