"""How the descents of a plane ended, and how fast they shrank, from a few snapshots of each.

The words and thresholds are those of `descend.judging`, which has the whole trace; DIFFERENCES says where a few snapshots
cannot tell what a trace can.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.judging import ENDLESS, ENOUGH, SETTLED, VANISHED
from descend.trace import OUTCOMES

__all__ = ["DIFFERENCES", "Snapshots", "marks", "outcomes", "rates", "solved"]

Floats = NDArray[np.float64]

#: Where a plane's outcome may differ from the single descent's.
DIFFERENCES = (
    "a descent at rest on a saddle counts as converged: the curvature is not looked at",
    "the largest gradient norm is that of the snapshots, not of every step",
    "a coordinate that changes sign at every step does not keep a settled descent from counting as converged",
    "where the gradient alone leaves the range of numbers the descent goes on until the loss does",
)
#: Snapshots within the first half: at 0 and at this many halvings of the half.
HALVINGS = 5
#: A gradient norm down to this many units of rounding of its largest may be rounding alone.
ROUNDING = 64


@dataclass(frozen=True)
class Snapshots:
    """What the program leaves of n descents, in float64."""

    #: Steps of the snapshots, (s,): 0, …, half, three quarters, all.
    at: NDArray[np.int64]
    #: Loss and gradient norm at each, (n, s).
    loss: Floats
    size: Floats
    #: Largest part of the gradient from each snapshot up to the next, (n, s); the last is empty.
    peak: Floats
    #: Lowest, highest and summed loss of the first half and of the last two quarters, the last point not among them: (n, 3).
    low: Floats
    high: Floats
    total: Floats
    #: Relative rounding of the numbers that were calculated with.
    epsilon: float

    @property
    def best(self) -> Floats:
        """The lowest loss of all, (n,)."""
        found: Floats = np.fmin(np.fmin.reduce(self.low, axis=1), self.loss[:, -1])
        return np.where(np.isnan(self.loss[:, 0]), np.nan, found)


def marks(steps: int) -> NDArray[np.int32]:
    """Steps at which a snapshot is taken: as judging parts a trace of `steps` + 1 points, and nearer and nearer the start.

    >>> marks(500)
    array([  0,   7,  15,  31,  62, 125, 250, 375, 500], dtype=int32)
    """
    half = (steps + 1) // 2
    three_quarters = half + (steps + 1 - half) // 2
    early = [half >> i for i in range(HALVINGS, 0, -1)]
    return np.array([0, *early, half, three_quarters, steps], dtype=np.int32)


def outcomes(seen: Snapshots, maximize: bool = False) -> NDArray[np.int8]:
    """Codes into `OUTCOMES`, (n,)."""
    first, last, now = seen.loss[:, 0], seen.loss[:, -1], seen.size[:, -1]
    with np.errstate(all="ignore"):
        failed, left = _left_the_numbers(seen)
        largest = np.fmax.reduce(seen.size, axis=1)
        vanished = (now <= VANISHED * largest) | (now == 0)
        sign = -1.0 if maximize else 1.0
        endless = sign * last < -ENDLESS * np.maximum(np.abs(first), 1.0)
        stuck = _is_stuck(seen) & (not maximize)
        rest = vanished | (stuck & (now <= SETTLED * largest))
        above = (last > first + 1e-6 * np.abs(first)) & (not maximize)
    cases = [
        (failed, "failed"),
        (left | endless | _is_growing(seen, sign), "diverged"),
        (rest & ~above, "converged"),
        (rest | stuck, "stalled"),
    ]
    codes = np.select([c for c, _ in cases], [OUTCOMES.index(w) for _, w in cases], OUTCOMES.index("step_budget"))
    return codes.astype(np.int8)


def _left_the_numbers(seen: Snapshots) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which descents failed (undefined from the start, or nan out of the blue), and which grew out of the range of numbers."""
    first, last = seen.loss[:, 0], seen.loss[:, -1]
    # a stretch that saw no number keeps inf as its lowest and -inf as its highest
    peak = np.abs(last)
    for low, high in zip(seen.low.T, seen.high.T, strict=True):
        peak = np.fmax(peak, np.fmax(np.where(low < np.inf, np.abs(low), 0), np.where(high > -np.inf, np.abs(high), 0)))
    undefined = ~np.isfinite(first) | ~np.isfinite(seen.size[:, 0])
    left = ~np.isfinite(last) | ~np.isfinite(seen.size[:, -1]) | np.isinf(peak)
    grown = np.isinf(peak) | (peak > ENDLESS * np.maximum(np.abs(first), 1e-300))
    return undefined | (left & ~grown), left & grown


def _is_growing(seen: Snapshots, sign: float) -> NDArray[np.bool_]:
    """Ends above where it began, having risen over its later part; with sign −1, the same of −loss."""
    first, last = sign * seen.loss[:, 0], sign * seen.loss[:, -1]
    highest = seen.high if sign > 0 else -seen.low
    half, middle, steps = seen.at[-3:]
    if steps < 3:  # too few points for a trend
        return np.zeros(len(first), dtype=bool)
    with np.errstate(all="ignore"):
        above = last > first + 1e-9 * np.maximum(np.abs(first), 1e-300)
        if steps + 1 - half < 3:
            return np.asarray(above)
        before = sign * seen.total[:, 1] / (middle - half)
        after = (sign * seen.total[:, 2] + last) / (steps + 1 - middle)
        return np.asarray(above & (np.fmax(highest[:, 2], last) > highest[:, 1]) & (after > before))


def _is_stuck(seen: Snapshots) -> NDArray[np.bool_]:
    """The later half brought nothing that the earlier half had not reached."""
    first, early = seen.loss[:, 0], seen.low[:, 0]
    if seen.at[-1] + 1 < ENOUGH:
        return np.zeros(len(first), dtype=bool)
    late = np.fmin(np.fmin(seen.low[:, 1], seen.low[:, 2]), seen.loss[:, -1])
    room = np.minimum(np.abs(first - early) + 1e-12 * np.abs(early), np.abs(early))
    return np.asarray(early - late <= 1e-6 * room)


def rates(seen: Snapshots) -> Floats:
    """Factor per step of the gradient, (n,): over the second half of what lies above rounding.

    Near a minimum with curvature the gradient shrinks as the distance does, whatever the minimum's value, so this is the
    amplitude's factor too; below 1 it shrinks. Compared are the largest parts of the gradient in two stretches between
    snapshots, the last one above rounding and the one at half its step: a run that swings through its minimum has moments with
    no gradient, but no stretch without any. 0: it was at rest within the first snapshot; nan: it began at rest, or was
    undefined there; inf: it left the range of numbers.
    """
    at, size, peak = seen.at, seen.size, seen.peak[:, :-1]
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(peak), peak, 0.0)
        good = finite > ROUNDING * seen.epsilon * finite.max(axis=1, keepdims=True)
        good &= (at[1:] > at[:-1]) & (at[:-1] > 0)
        end = peak.shape[1] - 1 - np.argmax(good[:, ::-1], axis=1)
        begin = np.array([max(0, np.searchsorted(at[:-1], a / 2, side="right") - 1) for a in at[:-1]])[end]
        row = np.arange(len(end))
        ratio = peak[row, end] / peak[row, begin]
        # what shrinks is largest where a stretch begins, what grows where it ends
        apart = np.where(ratio < 1, at[end] - at[begin], at[end + 1] - at[begin + 1])
        found = ratio ** (1.0 / np.maximum(apart, 1))
        first = int(np.argmax(at > 0))
        found = np.where(good.any(axis=1), found, (size[:, first] / size[:, 0]) ** (1.0 / max(int(at[first]), 1)))
    lost = ~np.isfinite(size[:, -1]) & ~(found > 1)
    found = np.where(lost, np.inf, found)
    return np.where(np.isfinite(size[:, 0]) & (size[:, 0] > 0), found, np.nan)


def solved(seen: Snapshots, hit: NDArray[np.int32], minimum: float | None, tol: float) -> NDArray[np.int32]:
    """The step at the tolerance, −1: never. A loss below the minimum has left the region that the minimum is told for."""
    if minimum is None:
        return np.full_like(hit, -1)
    with np.errstate(all="ignore"):
        slack = tol * np.abs(seen.loss[:, 0] - minimum) + ROUNDING * seen.epsilon * abs(minimum)
        return np.where(seen.best < minimum - slack, np.int32(-1), hit)
