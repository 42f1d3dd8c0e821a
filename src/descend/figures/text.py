"""Curves for a terminal: a sparkline in one line, loss curves in a few. NumPy only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from descend.figures.data import Curve, Floats, loss_view, number, outcome_words, trace_labels
from descend.trace import Trace

__all__ = ["loss_plot", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"
#: What stands for a value that is infinite or beyond the rest, that is no number, and that is below a log scale.
UP, NOT_A_NUMBER, DOWN = "↑", "×", "↓"
_MARKS = "●■▲◆▼✚★○"


def sparkline(values: ArrayLike, width: int = 60, log: bool | Literal["auto"] = "auto") -> str:
    """Values as one line of bars; more than `width` values are gathered in stretches, each showing its largest.

    Infinities are ↑ (↓ where negative) and NaN is ×: a stretch that holds one shows it. With log="auto" a log scale is used for
    positive values that span more than 1.5 decades; zeros are ↓ there.

    >>> sparkline([1, 2, 3, 4, 5, 6, 7, 8]), sparkline([1, float("inf"), float("nan")])
    ('▁▂▃▄▅▆▇█', '▁↑×')
    """
    v = np.asarray(values, dtype=np.float64).ravel()
    if width < 1 or not len(v):
        return ""
    finite = v[np.isfinite(v)]
    positive = finite[finite > 0]
    spread = len(positive) > 1 and bool(np.all(finite >= 0)) and float(np.ptp(np.log10(positive))) > 1.5
    logarithmic = bool(len(positive)) and (spread if log == "auto" else bool(log))
    edges = np.linspace(0, len(v), min(width, len(v)) + 1).astype(int)
    stretches = [v[low:high] for low, high in itertools.pairwise(edges)]
    heights = _heights(finite, logarithmic)
    return "".join(_symbol(part, *heights, logarithmic) for part in stretches)


def _heights(finite: Floats, logarithmic: bool) -> tuple[float, float]:
    if logarithmic:
        finite = np.log10(finite[finite > 0])
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


def _symbol(part: Floats, low: float, high: float, logarithmic: bool) -> str:
    if np.isnan(part).any():
        return NOT_A_NUMBER
    top = float(part.max())
    if top == math.inf:
        return UP
    if top == -math.inf or (logarithmic and top <= 0):
        return DOWN
    height = math.log10(top) if logarithmic else top
    span = high / 2 - low / 2
    share = (height / 2 - low / 2) / span if span > 0 else 0.0
    return _BARS[min(len(_BARS) - 1, max(0, int(share * len(_BARS))))]


def loss_plot(traces: Sequence[Trace], width: int = 64, height: int = 9, minimum: float | None = None) -> str:
    """Loss curves of one or several traces as a few lines of text, with the legend below.

    The scale is logarithmic where the losses are positive and span more than 1.5 decades. A run that leaves the frame ends
    in ↑ (or ↓), one that becomes no number in ×.
    """
    view = loss_view(traces, minimum)
    rows = [[" "] * width for _ in range(height)]
    low, high = (math.log10(e) for e in view.ylim) if view.scale == "log" else view.ylim
    ends = [float(c.x[i]) for c in view.curves if len(c.x) for i in (0, -1)] or [0.0, 1.0]
    first, last = min(ends), max(ends)
    for k in reversed(range(len(view.curves))):
        _plot(rows, view.curves[k], (low, high), (first, last), view.scale == "log", _MARKS[k % len(_MARKS)])
    above, below = (number(float(f"{e:.1e}")) for e in (view.ylim[1], view.ylim[0]))
    margin = max(len(above), len(below))
    edge = {0: above, height - 1: below}
    lines = [f"{edge.get(i, ''):>{margin}} │{''.join(row)}".rstrip() for i, row in enumerate(rows)]
    steps = f"{first:,.0f}".ljust(width - len(f"{last:,.0f}")) + f"{last:,.0f}"
    lines += [f"{'':>{margin}} └{'─' * width}", f"{'':>{margin}}  {steps} step"]
    names = zip(trace_labels(traces), traces, strict=True)
    lines += [f"{'':>{margin}}  {_MARKS[k % len(_MARKS)]} {label}: {outcome_words(t)}" for k, (label, t) in enumerate(names)]
    return "\n".join(lines)


def _plot(
    rows: list[list[str]], curve: Curve, ylim: tuple[float, float], xlim: tuple[float, float], logarithmic: bool, mark: str
) -> None:
    """Mark every point, and every column between two points."""
    height, width = len(rows), len(rows[0])
    span = (xlim[1] - xlim[0]) or 1.0
    at = (curve.x - xlim[0]) / span * (width - 1)
    with np.errstate(divide="ignore"):
        y = np.log10(curve.y) if logarithmic else curve.y
    if len(at):
        between = np.arange(math.ceil(at[0]), math.floor(at[-1]) + 1)
        at, y = np.concatenate([between, at]), np.concatenate([np.interp(between, at, y), y])
    for x, value in zip(at, y, strict=True):
        if ylim[0] <= value <= ylim[1]:
            row = min(height - 1, int((ylim[1] - value) / (ylim[1] - ylim[0]) * height))
            rows[row][round(x)] = mark
    if curve.exit is not None:
        column = round((curve.exit[0] - xlim[0]) / span * (width - 1))
        rows[0 if curve.exit[1] > 0 else -1][column] = UP if curve.exit[1] > 0 else DOWN
    elif curve.broken is not None:
        rows[height // 2][min(width - 1, round((curve.broken - xlim[0]) / span * (width - 1)))] = NOT_A_NUMBER
