"""Small robust tools on one series of numbers: trend, noise, alternation, rhythm, in units of the series itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.trace import Column

__all__ = [
    "alternation",
    "autocorrelation",
    "finite",
    "log_ratio",
    "noise",
    "rank_trend",
    "repeats",
    "signed_log",
    "thin",
    "trend",
]

Floats = NDArray[np.float64]

#: Curves are thinned by block means to this many points before their shape is judged: a longer log says no more about shape.
POINTS = 1000


def finite(c: Column) -> Column:
    """The rows of a column whose value is a finite number."""
    keep = np.isfinite(c.value)
    return c if keep.all() else Column(c.step[keep], c.value[keep])


def thin(c: Column, points: int = POINTS) -> Column:
    """At most `points` rows, each the mean of a block: what a logger with a longer interval would have written.

    >>> from descend.trace import column
    >>> thin(column(range(6), [0, 2, 4, 6, 8, 10]), 3).value
    array([1., 5., 9.])
    """
    n = len(c)
    if n <= points:
        return c
    edges = np.linspace(0, n, points + 1).astype(np.int64)
    counts = np.diff(edges)
    with np.errstate(over="ignore", invalid="ignore"):
        return Column(c.step[edges[:-1]], np.add.reduceat(c.value, edges[:-1]) / counts)


def trend(y: Floats, share: float = 1 / 16) -> Floats:
    """A centred moving average whose window shrinks towards both ends, so that the first and last values stay themselves.

    >>> trend(np.array([4.0, 3, 2, 1, 0]))
    array([4., 3., 2., 1., 0.])
    """
    n = len(y)
    half = max(int(n * share / 2), 1 if n >= 12 else 0)
    if half == 0:
        return y
    total = np.concatenate([[0.0], np.cumsum(y)])
    at = np.arange(n)
    reach = np.minimum(np.minimum(at, n - 1 - at), half)
    average: Floats = (total[at + reach + 1] - total[at - reach]) / (2 * reach + 1)
    return average


def noise(y: Floats) -> float:
    """Standard deviation of the noise around a smooth curve, from second differences: slow change does not count.

    >>> noise(np.arange(10.0) ** 1)
    0.0
    """
    if len(y) < 4:
        return float("nan")
    second = y[2:] - 2 * y[1:-1] + y[:-2]
    return float(1.4826 * np.median(np.abs(second)) / np.sqrt(6))


def alternation(y: Floats) -> float:
    """Share of consecutive changes with opposite signs: 0 for a smooth fall, 2/3 for pure noise, 1 for a zig-zag.

    >>> alternation(np.array([1.0, 2, 1, 2, 1]))
    1.0
    """
    change = np.sign(np.diff(y))
    change = change[change != 0]
    return float(np.mean(change[1:] != change[:-1])) if len(change) > 2 else float("nan")


def autocorrelation(y: Floats, lag: int) -> float:
    """Correlation of a series with itself `lag` points later."""
    y = y - y.mean()
    power = float(y @ y)
    return float(y[lag:] @ y[:-lag]) / power if power > 0 and len(y) > lag + 2 else float("nan")


def rank_trend(y: Floats) -> float:
    """Spearman's correlation with time: −1 always falling, +1 always rising, near 0 no direction; spikes count little."""
    n = len(y)
    if n < 4 or y.min() == y.max():
        return 0.0
    rank = np.empty(n)
    rank[np.argsort(y, kind="stable")] = np.arange(n)
    return float(np.corrcoef(rank, np.arange(n))[0, 1])


def repeats(y: Floats) -> tuple[float, int, int]:
    """Share of exact repeats, and where the longest stretch of one value begins and how long it is.

    >>> repeats(np.array([3.0, 2, 2, 2, 1]))
    (0.5, 1, 3)
    """
    if len(y) < 2:
        return 0.0, 0, len(y)
    same = np.diff(y) == 0
    breaks = np.flatnonzero(np.concatenate([[True], ~same, [True]]))
    lengths = np.diff(breaks)
    longest = int(np.argmax(lengths))
    return float(same.mean()), int(breaks[longest]), int(lengths[longest])


def log_ratio(a: float, b: float) -> float:
    """log10(a/b), kept within ±30, so that zero and overflow stay numbers.

    >>> log_ratio(1, 100), log_ratio(0, 1)
    (-2.0, -30.0)
    """
    if np.isnan(a) or np.isnan(b):
        return float("nan")
    return float(np.clip(np.log10(max(a, 1e-300)) - np.log10(max(b, 1e-300)), -30, 30))


def signed_log(x: float, unit: float = 1.0) -> float:
    """sign(x)·log10(1 + |x|/unit): large and small on one axis, sign kept; NaN and infinity become NaN and ±30."""
    if np.isnan(x):
        return float("nan")
    return float(np.sign(x) * min(np.log10(1 + abs(x) / unit), 30.0))
