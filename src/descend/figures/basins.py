"""Basins of attraction: which point each descent of a plane came to rest at, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.figures.data import number
from descend.figures.palette import NONE, blocks, column, ramp_palette
from descend.trace import OUTCOMES

__all__ = ["Basins", "basins", "resting_points"]

Floats = NDArray[np.float64]

#: One for each basin, apart for colour-blind eyes, none of them grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7D5FC4")
#: Basins that have a colour of their own, and shades of each, the fast ones first.
MOST, SHADES = len(COLOURS), 36
#: Points nearer than this part of their spread are one point.
NEAR = 0.02
#: A resting point that fewer than this part of the descents reach has no colour of its own.
FEWEST = 2e-3
#: Descents by which the resting points are told.
ENOUGH = 1_000_000
#: How far the fast shades are mixed with white and the slow ones with black.
TINT, TONE = 0.62, 0.5


@dataclass(frozen=True)
class Basins:
    """Colours of a plane by where each descent came to rest."""

    index: NDArray[np.uint8]
    palette: NDArray[np.uint8]
    #: (palette index, the point in words) of each.
    ticks: tuple[tuple[float, str], ...]


def basins(plane: Any, shown: NDArray[np.bool_]) -> Basins:
    """Colour by resting point; `shown` (rows, columns) tells which descents stayed within the range of numbers."""
    palette, index = np.array(ramp_palette()), np.full(shown.shape, NONE, np.uint8)
    if "point" not in plane.arrays:
        return Basins(index, palette, ())
    points = np.asarray(plane["point"])
    points = points.swapaxes(0, 1) if points.ndim == 3 else points[None]
    places = resting_points(plane, _some(points, shown & (column(plane, "outcome") == OUTCOMES.index("converged"))))
    if not len(places):
        return Basins(index, palette, ())
    near, nearest = _near(places, _some(points, shown)), np.full(shown.shape, -1, np.int8)
    for rows in blocks(shown.shape):  # a large map a part at a time, or it would need a hundred times its own memory
        apart = np.abs(points[rows][shown[rows]].astype(np.float64)[:, None] - places[None]).max(axis=2)
        nearest[rows][shown[rows]] = np.where(apart.min(axis=1) <= near, apart.argmin(axis=1), -1)
    at_rest, speed = nearest >= 0, _speed(plane, shown)
    ordered = np.sort(speed[at_rest])
    for rows in blocks(shown.shape):
        rank = np.searchsorted(ordered, speed[rows][at_rest[rows]]) / max(len(ordered), 1)
        shade = np.minimum(SHADES - 1, np.floor(rank * SHADES)).astype(int)
        index[rows][at_rest[rows]] = nearest[rows][at_rest[rows]] * SHADES + shade
    for k in range(len(places)):
        palette[k * SHADES : (k + 1) * SHADES] = _shades(COLOURS[k])
    ticks = tuple((float(k * SHADES + SHADES // 4), _words(place)) for k, place in enumerate(places))
    return Basins(index, palette, ticks)


def resting_points(plane: Any, settled: Floats) -> Floats:
    """The points that descents come to rest at, (k, d): the objective's known minima first, then the most visited others."""
    d = settled.shape[-1]
    known = [m for m in (plane.goal.minima if plane.goal is not None else ()) if len(m) == d]
    places = [np.array(m, np.float64) for m in known[:MOST]]
    rest, least = settled, max(1, FEWEST * len(settled))
    near = _near(np.array(places).reshape(-1, d), settled)
    for place in places:
        rest = rest[np.abs(rest - place).max(axis=1) > near]
    while len(places) < MOST and len(rest) >= least:
        cells, counts = np.unique(np.floor(rest / near), axis=0, return_counts=True)
        centre = np.median(rest[np.abs(rest / near - cells[counts.argmax()] - 0.5).max(axis=1) <= 1], axis=0)
        inside = np.abs(rest - centre).max(axis=1) <= near
        if inside.sum() < least:
            break
        places.append(centre)
        rest = rest[~inside]
    return np.array(places).reshape(-1, d)


def _near(places: Floats, points: Floats) -> float:
    """How near is the same point: a part of the spread of what there is."""
    every = np.concatenate([places, points[:: max(1, len(points) // 5000)]])
    if not len(every):
        return 1e-9
    low, high = np.quantile(every, [0.02, 0.98], axis=0)
    return float(max(NEAR * (high - low).max(), 1e-5 * max(1.0, float(np.abs(every).max()))))


def _some(points: NDArray[Any], which: NDArray[np.bool_]) -> Floats:
    """Points of the map, or of every so many of them where they are millions."""
    found = np.flatnonzero(which)
    found = found[:: max(1, len(found) // ENOUGH)]
    return np.asarray(points[np.unravel_index(found, which.shape)], np.float64)


def _speed(plane: Any, shown: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Steps to the tolerance where the minimum is known, else the factor per step: (rows, columns)."""
    reached = column(plane, "steps_to")
    if (reached[shown] >= 0).any():
        return np.where(reached < 0, np.inf, reached).astype(np.float32)
    rate = column(plane, "rate")
    return np.where(np.isfinite(rate), rate, np.inf).astype(np.float32)


def _shades(colour: str) -> NDArray[np.uint8]:
    """From a tint of the colour to a dark tone of it, (SHADES, 3)."""
    base = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
    part = np.linspace(-TINT, TONE, SHADES)[:, None]
    mixed = np.where(part < 0, base + (255 - base) * -part, base * (1 - part))
    return np.asarray(np.round(mixed), np.uint8)


def _words(place: Floats) -> str:
    return "(" + ", ".join(number(0.0 if abs(v) < 1e-9 else float(v)) for v in place) + ")"
