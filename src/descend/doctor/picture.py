"""The diagnosis as a picture: SVG written by hand for the report page, matplotlib for a figure in a file."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from descend.doctor.examine import CONDITIONS
from descend.doctor.finding import Diagnosis, Finding
from descend.doctor.text import unit
from descend.trace import Column

__all__ = ["extremes", "save_figure", "svg"]

COLOURS = {"fault": "#c2410c", "healthy": "#15803d", "note": "#475569"}
#: Runs in one figure.
MOST = 12
SERIES = {"loss": "#1d4ed8", "val_loss": "#b45309"}


def extremes(c: Column, cells: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a column with at most two points (lowest, highest) per cell: spikes survive, size does not."""
    n = len(c)
    if n <= 2 * cells:
        return c.step, c.value
    width = -(-n // cells)
    keep: list[int] = []
    for a in range(0, n, width):
        block = c.value[a : a + width]
        if np.isfinite(block).any():
            keep += sorted({a + int(np.nanargmin(block)), a + int(np.nanargmax(block))})
        else:
            keep.append(a)
    return c.step[keep], c.value[keep]


def axis_values(d: Diagnosis) -> tuple[float, float, bool]:
    """Lowest and highest value to draw, and whether the axis is logarithmic; a divergence is cut where it leaves the story."""
    drawn = [c.value[np.isfinite(c.value)] for k, c in d.trace.columns.items() if k in SERIES]
    values = np.concatenate(drawn) if drawn else np.zeros(0)
    if not len(values):
        return 0.0, 1.0, False
    low, high = float(values.min()), float(values.max())
    log = low > 0 and high > 30 * low
    if not log and low <= 0 and high > 1e4 * (1 + float(np.median(np.abs(values)))):
        high = float(np.quantile(values, 0.8))
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    return low, high, log


def svg(d: Diagnosis, width: int = 760, height: int = 260) -> str:
    """An inline picture of training and validation loss with the steps of each finding shaded."""
    if "loss" not in d.trace.columns or not len(d.trace.columns["loss"]):
        return ""
    low, high, log = axis_values(d)
    steps = np.concatenate([c.step for k, c in d.trace.columns.items() if k in SERIES and len(c)])
    first, last = float(steps.min()), float(max(steps.max(), steps.min() + 1))
    left, right, top, bottom = 64, width - 12, 12, height - 28

    def x(step: float) -> float:
        return left + (step - first) / (last - first) * (right - left)

    def y(value: float) -> float:
        part = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low)) if log else (value - low) / (high - low)
        return bottom - min(max(part, 0.0), 1.0) * (bottom - top)

    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(d.sentence)}">']
    parts += [shade(f, x, top, bottom) for f in shaded(d)]
    for value in ticks(low, high, log):
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for step in (first, (first + last) / 2, last):
        parts.append(f'<text x="{x(step):.1f}" y="{height - 8}" text-anchor="middle">{step:.0f}</text>')
    for name, colour in SERIES.items():
        if name in d.trace.columns:
            parts += polylines(d.trace.columns[name], x, y, colour)
            parts += [
                f'<text x="{x(step):.1f}" y="{top + 12}" text-anchor="middle" style="fill:{colour}">×</text>'
                for step in not_finite(d.trace.columns[name])
            ]
    return "".join([*parts, "</svg>"])


def shade(f: Finding, x: Any, top: float, bottom: float) -> str:
    a, b = x(f.steps[0]), max(x(f.steps[1]), x(f.steps[0]) + 2)
    title = f"<title>{escape(CONDITIONS[f.condition].name)}</title>"
    return (
        f'<rect x="{a:.1f}" y="{top}" width="{b - a:.1f}" height="{bottom - top}" '
        f'fill="{COLOURS[f.kind]}" opacity="0.1">{title}</rect>'
    )


def polylines(c: Column, x: Any, y: Any, colour: str) -> list[str]:
    """Lines between finite values, a dot for one that stands alone."""
    steps, values = extremes(c)
    out: list[list[str]] = []
    run: list[str] = []
    for s, v in zip(steps.tolist(), values.tolist(), strict=True):
        if math.isfinite(v):
            run.append(f"{x(s):.1f},{y(v):.1f}")
            continue
        out += [run] * bool(run)
        run = []
    out += [run] * bool(run)
    return [mark(points, colour) for points in out]


def mark(points: list[str], colour: str) -> str:
    """A line through points, or a dot."""
    if len(points) > 1:
        return f'<polyline points="{" ".join(points)}" stroke="{colour}"/>'
    cx, cy = points[0].split(",")
    return f'<circle cx="{cx}" cy="{cy}" r="2" fill="{colour}"/>'


def not_finite(c: Column, most: int = 60) -> list[float]:
    """Steps at which a value is not finite, thinned evenly to `most`."""
    steps = c.step[~np.isfinite(c.value)]
    return [float(s) for s in steps[:: max(-(-len(steps) // most), 1)]]


def shaded(d: Diagnosis) -> list[Finding]:
    """The findings whose steps are shaded: a remark is about the log, not about a part of the curve."""
    return [f for f in d.found if f.kind != "note"]


def ticks(low: float, high: float, log: bool) -> list[float]:
    """A few round values between low and high."""
    if log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        every = max(len(powers) // 5, 1)
        return [10.0**k for k in list(powers)[::every] if low <= 10.0**k <= high] or [low, high]
    unit = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(unit * m for m in (1, 2, 5, 10) if (high - low) / (unit * m) <= 6)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def title(d: Diagnosis) -> str:
    """The verdict and the run's name: a run that is called after its file is named once."""
    names = dict.fromkeys(name for name in (Path(d.source).name, d.run) if name)
    return f"{d.verdict.replace('_', ' ')}: {' '.join(names)}"


def save_figure(diagnoses: list[Diagnosis], path: Path) -> str:
    """Draw the runs, one under the other, with matplotlib; the format follows the file's ending.

    Of more than MOST runs those with a fault go first. Says what was left out, or nothing.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawable = [d for d in diagnoses if "loss" in d.trace.columns and len(d.trace.columns["loss"])]
    chosen = sorted(drawable, key=lambda d: ("fault", "cannot_tell", "healthy").index(d.verdict))[:MOST]
    shown = [d for d in drawable if any(d is c for c in chosen)]
    figure = Figure(figsize=(8, 3.2 * max(len(shown), 1)), layout="constrained")
    FigureCanvasAgg(figure)
    for ax, d in zip(np.ravel(figure.subplots(max(len(shown), 1), 1)), shown, strict=False):
        low, high, log = axis_values(d)
        for name, colour in SERIES.items():
            if name in d.trace.columns:
                steps, values = extremes(d.trace.columns[name])
                with_dots = "." if len(steps) <= 30 else ""
                ax.plot(steps, values, color=colour, lw=1.2, marker=with_dots, ms=4, label=name.replace("_", " "))
                bad = not_finite(d.trace.columns[name])
                ax.plot(bad, [0.96] * len(bad), "x", color=colour, ms=5, transform=ax.get_xaxis_transform())
        for f in shaded(d):
            ax.axvspan(f.steps[0], f.steps[1], color=COLOURS[f.kind], alpha=0.1, label=CONDITIONS[f.condition].name)
        if log:
            ax.set_yscale("log")
        else:
            ax.set_ylim(low - 0.03 * (high - low), high + 0.03 * (high - low))
        ax.set(title=title(d), xlabel=unit(d), ylabel="loss")
        ax.legend(fontsize=8)
    figure.savefig(path, dpi=130)
    return f"{len(shown)} of {len(diagnoses)} runs" if len(shown) < len(diagnoses) else ""
