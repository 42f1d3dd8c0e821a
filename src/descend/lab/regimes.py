"""How a descent moves, in a word: from the modes of its rule where that is linear, else from the run itself.

On the quadratic λp²/2 a linear rule multiplies each mode by an eigenvalue z in a step. z real and positive: monotone; z
complex: ripples, a rotation by arg z a step; z negative: oscillation, a change of sign at each step; |z| above 1: divergence.
(The regimes of Goh, "Why Momentum Really Works", Distill 2017, for any linear rule.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.engine import jax_switch
from descend.figures.data import number
from descend.objectives import Objective
from descend.rules import Optimizer
from descend.stability import Curvature, curvature_at, direction_name, is_quadratic, modes
from descend.trace import Trace

__all__ = ["WORDS", "Direction", "Regime", "curvature_from", "regime_grid", "regime_of", "word_of"]

Floats = NDArray[np.float64]

#: Each regime and what it looks like.
WORDS = {
    "one step": "the steepest possible landing: it is at the minimum after a step",
    "monotone": "it comes nearer at every step, from one side",
    "ripples": "it swings past the minimum and back, in waves that fade",
    "oscillation": "it jumps to the other side at every step, less far each time",
    "no rest": "it neither shrinks nor grows: it goes on for ever",
    "hovering": "it stays near the minimum without coming to rest",
    "divergence": "every step takes it farther away",
}
#: A factor this close to 1 neither shrinks nor grows; a mode this small is gone after a step.
EDGE, GONE = 1e-9, 1e-6


@dataclass(frozen=True)
class Direction:
    """One eigenvector of the curvature and how the distance along it moves."""

    name: str
    curvature: float
    #: Factor per step, and for ripples the steps of a full turn.
    factor: float
    turn: float | None
    word: str


@dataclass(frozen=True)
class Regime:
    """The word, a sentence, and the directions it was told from: none where it was read off the run."""

    word: str
    sentence: str
    directions: tuple[Direction, ...] = ()


def word_of(z: Any) -> str:
    """The regime of a mode.

    >>> [word_of(z) for z in (0, 0.5, -0.5, 0.5 + 0.5j, -1, 1.2)]
    ['one step', 'monotone', 'oscillation', 'ripples', 'no rest', 'divergence']
    """
    size = abs(z)
    if size > 1 + EDGE:
        return "divergence"
    if size >= 1 - EDGE:
        return "no rest"
    if size < GONE:
        return "one step"
    if abs(z.imag) > 1e-7 * size:
        return "ripples"
    return "monotone" if z.real > 0 else "oscillation"


def regime_of(goal: Objective, optimizer: Optimizer, start: Any, trace: Trace) -> Regime:
    """The regime of a run: from the modes at the start on a quadratic, at its end elsewhere, else from the run's own signs."""
    assert trace.outcome is not None
    linear = optimizer.rule.kind == "linear" and goal.variables and not optimizer.common and not optimizer.reports_elsewhere
    if linear:
        there, everywhere = curvature_from(goal, tuple(float(v) for v in start))
        if there is not None and everywhere:
            return _from_modes(goal, optimizer, there, _excited(goal, start, there), "")
        if trace.outcome.kind in ("converged", "step_budget", "stalled") and np.isfinite(trace.points[-1]).all():
            end = curvature_at(goal, np.asarray(trace.points[-1], np.float64))
            if end is not None and end.exact and end.smallest > 1e-9 * abs(end.largest) and _settles(trace):
                return _from_modes(goal, optimizer, end, np.ones(len(end.eigenvalues), bool), " where it came to rest")
    return _from_run(trace)


def _settles(trace: Trace) -> bool:
    """The gradient has all but vanished, so that the curvature of the end is that of the way it got there."""
    size = np.asarray(trace.grad_norm, np.float64)
    return bool(size[-1] <= 1e-2 * np.nanmax(size))


@lru_cache(maxsize=512)
def curvature_from(goal: Objective, start: tuple[float, ...]) -> tuple[Curvature | None, bool]:
    """The curvature at a start, and whether it is the same everywhere."""
    point = np.array(start)
    there = curvature_at(goal, point)
    return there, there is not None and there.exact and is_quadratic(goal, point, there, 1.0)


@lru_cache(maxsize=64)
def _gradient(goal: Objective) -> Callable[[Any], Any]:
    import jax

    return jax.jit(jax.grad(goal.fun))


def _excited(goal: Objective, start: Any, there: Curvature) -> NDArray[np.bool_]:
    """Which directions the start stands away from the minimum in: the gradient's parts along them."""
    with jax_switch(True):
        slope = np.asarray(_gradient(goal)(np.asarray(start, np.float64)), np.float64)
    parts = np.abs(there.eigenvectors.T @ slope)
    return np.asarray(parts > 1e-12 * max(float(parts.max(initial=0.0)), 1e-300))


def _from_modes(goal: Objective, optimizer: Optimizer, there: Curvature, excited: NDArray[np.bool_], where: str) -> Regime:
    directions = []
    for k, curvature in enumerate(there.eigenvalues):
        if not excited[k]:
            continue
        every = modes(optimizer, optimizer.hyperparameters["lr"], float(curvature))
        z = every[np.argmax(np.abs(every))]
        word = word_of(z)
        turn = 2 * math.pi / abs(float(np.angle(z))) if word == "ripples" else None
        name = direction_name(there.eigenvectors[:, k], goal.variables)
        directions.append(Direction(name, float(curvature), float(abs(z)), turn, word))
    if not directions:
        return Regime("one step", "The start is where the gradient vanishes: there is nothing to do.")
    largest = max(d.factor for d in directions)
    tied = [d for d in directions if d.factor >= (1 - 1e-9) * largest]
    slowest = tied[0]  # of equals the flattest, whose waves are longest
    along = "" if len(tied) == len(directions) else f" along {slowest.name}, the slowest direction"
    among = along + where
    return Regime(slowest.word, f"{_told(slowest)}{among}.", tuple(directions))


def _told(slowest: Direction) -> str:
    factor, half = number(slowest.factor, 4), number((slowest.turn or 0) / 2)
    return {
        "one step": "It lands in one step",
        "monotone": f"The distance shrinks to {factor} of itself at every step",
        "ripples": f"It swings through the minimum once in {half} steps and shrinks by {factor} a step",
        "oscillation": f"It changes sides at every step and shrinks by {factor}",
        "no rest": "It neither shrinks nor grows",
        "divergence": f"The distance grows {factor} times a step",
    }[slowest.word]


def _from_run(trace: Trace) -> Regime:
    """The word from how often the run turns back, of what moves most; rounding at the end left out."""
    assert trace.outcome is not None
    if trace.outcome.kind in ("diverged", "failed"):
        return Regime("divergence", trace.outcome.message)
    if "point" in trace and len(trace.points) > 2:
        steps = np.diff(np.asarray(trace.points, np.float64), axis=0)
    else:
        steps = np.diff(np.asarray(trace.loss, np.float64))[:, None]
    steps = steps[np.isfinite(steps).all(axis=1)]
    moved = np.abs(steps).max(axis=0, initial=0.0)
    if not moved.size or not moved.max() > 0:
        return Regime("no rest", "It does not move.")
    turns = max((_turns(column, moved.max()) for column in steps.T), key=lambda t: t[1])
    end = steps[-max(8, len(steps) // 4) :]
    if trace.outcome.kind in ("step_budget", "stalled") and np.abs(end).max() > 1e-3 * moved.max():
        late = max(_turns(column, float(np.abs(end).max()))[1] for column in end.T)
        falls = float(trace.loss[-1]) < 0.9 * float(trace.loss[-len(end)])
        if late > 0.6 and not falls:
            return Regime("hovering", "At the end it turns back at nearly every step without coming nearer.")
    count, part = turns
    if part >= 0.8:
        return Regime("oscillation", f"It turns back at {count} of its {len(steps)} steps.")
    if count >= 2:
        return Regime("ripples", f"It turns back {count} times on its way.")
    return Regime("monotone", "It never turns back on its way." if count == 0 else "It turns back once on its way.")


def _turns(steps: Floats, largest: float) -> tuple[int, float]:
    """How often a coordinate's step changes sign, and in what part of its steps; steps too small to see are left out."""
    seen = steps[np.abs(steps) > 1e-5 * largest]
    if len(seen) < 2:
        return 0, 0.0
    turns = int(np.count_nonzero(np.sign(seen[1:]) != np.sign(seen[:-1])))
    return turns, turns / (len(seen) - 1)


# -- the regimes of a whole plane

#: Points along an axis at which regimes are told, and the part of the plane below which one has no room for its name.
PLACES, ROOM = 144, 0.012


def regime_grid(
    goal: Objective, optimizer: Optimizer, start: Any, axes: list[Any], names: list[str]
) -> tuple[NDArray[np.uint8], list[dict[str, Any]]] | None:
    """Places in WORDS on a grid over the plane (rows: the second axis), and where to write each word (parts of the axes).

    On a quadratic with a linear rule and two hyperparameters; None elsewhere.
    """
    knobs = optimizer.rule.hyperparameters
    if optimizer.rule.kind != "linear" or not goal.variables or optimizer.common or optimizer.reports_elsewhere:
        return None
    if "lr" not in names or not all(n in knobs for n in names):
        return None
    there, everywhere = curvature_from(goal, tuple(float(v) for v in start))
    if there is None or not everywhere or there.smallest <= 0:
        return None
    first, second = (np.interp(np.linspace(0, 1, PLACES), np.linspace(0, 1, len(a)), a.values) for a in axes)
    grid = dict(zip(names, np.meshgrid(first, second), strict=True))
    lr = grid.pop("lr")
    slowest = np.zeros(lr.shape, complex)
    for curvature in np.unique(there.eigenvalues):
        every = modes(optimizer.with_values(**grid), lr, np.full(lr.shape, curvature))
        z = np.take_along_axis(every, np.abs(every).argmax(axis=-1)[..., None], axis=-1)[..., 0]
        slowest = np.where(np.abs(z) > np.abs(slowest), z, slowest)
    codes = _codes(slowest)
    return codes, _labels(codes)


def _codes(z: NDArray[np.complex128]) -> NDArray[np.uint8]:
    """`word_of` for many modes, as places in WORDS."""
    words, size = list(WORDS), np.abs(z)
    real = np.where(z.real > 0, words.index("monotone"), words.index("oscillation"))
    inside = np.where(np.abs(z.imag) > 1e-7 * size, words.index("ripples"), real)
    inside = np.where(size < GONE, words.index("one step"), inside)
    edge = np.where(size > 1 + EDGE, words.index("divergence"), words.index("no rest"))
    return np.asarray(np.where(size >= 1 - EDGE, edge, inside), np.uint8)


def _labels(codes: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """The word of each large enough region, at the point of it that is farthest from its border."""
    from scipy import ndimage

    found = []
    for code, word in enumerate(WORDS):
        inside = np.pad(codes == code, 1)
        regions, count = ndimage.label(inside)
        if not count:
            continue
        largest = 1 + int(np.argmax(np.bincount(regions.ravel())[1:]))
        if np.mean(regions == largest) < ROOM:
            continue
        depth = ndimage.distance_transform_edt(regions == largest)
        row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
        room = 2 * float(depth[row, column]) / PLACES
        at = [(float(column) - 0.5) / PLACES, (float(row) - 0.5) / PLACES]
        found.append({"word": word, "at": at, "room": room})
    return found
