"""What a figure shows, as plain arrays: view boxes, paths clipped to them, loss curves, thinning. No drawing here.

Everything that leaves this module is finite and of drawable size: a renderer never meets NaN, Inf or 1e300.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.trace import Trace

__all__ = [
    "Box",
    "Curve",
    "CurveView",
    "PathView",
    "coordinate_view",
    "curve_view",
    "finite_path",
    "loss_view",
    "number",
    "outcome_words",
    "path_view",
    "thin",
    "trace_labels",
    "view_box",
]

Floats = NDArray[np.float64]

#: Coordinates and losses beyond this are treated as out of range: their squares still fit into float64.
HUGE = 1e150
#: A path is followed to this many times the size of the region that holds the starts and the minima.
REACH = 3.0
#: A log axis shows at most this many decades above, and below, the largest start loss.
DECADES_UP, DECADES_DOWN = 8.0, 18.0
#: More points than this in a curve are thinned, to this many bins of four.
THIN_ABOVE, BINS = 3000, 600


# -- boxes ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    """An axis-parallel region of d variables: its lowest and highest corner, each of shape (d,)."""

    low: Floats
    high: Floats

    @property
    def size(self) -> Floats:
        return self.high - self.low

    @property
    def centre(self) -> Floats:
        return (self.low + self.high) / 2

    def contains(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Which points, shape (…, d), lie inside: bool of shape (…)."""
        p = np.asarray(points, dtype=np.float64)
        return np.asarray(np.all((p >= self.low) & (p <= self.high), axis=-1))

    def scaled(self, factor: float | Floats) -> Box:
        """The box about the same centre, `factor` times as wide."""
        half = self.size / 2 * factor
        return Box(self.centre - half, self.centre + half)

    @classmethod
    def around(cls, points: ArrayLike) -> Box:
        """The smallest box that holds points of shape (n, d)."""
        p = np.asarray(points, dtype=np.float64)
        return cls(p.min(axis=0), p.max(axis=0))


def finite_path(trace: Trace) -> Floats:
    """The points up to the first that is not finite or is beyond drawing, shape (n, d)."""
    points = np.asarray(trace.points, dtype=np.float64)
    if points.ndim == 1:
        points = points[:, None]
    with np.errstate(invalid="ignore"):
        bad = ~np.all(np.abs(points) < HUGE, axis=1)
    return points[: int(np.argmax(bad))] if bad.any() else points


def view_box(
    paths: Sequence[Floats],
    anchors: Iterable[ArrayLike] = (),
    *,
    ends: Iterable[ArrayLike] = (),
    domain: ArrayLike | None = None,
    reach: float = REACH,
    aspect: float | None = None,
    pad: float = 0.09,
) -> Box:
    """The region to draw: around starts, anchors (minima) and ends of settled runs, and not much of any that flies off.

    `domain` is (lowest, highest) per variable, shape (d, 2): it is shown whole unless the descent plays in a corner of it.
    With `aspect`, the width over the height of the frame, the narrow side is widened until one unit is as long on both
    axes; regions more than 6 times longer than wide keep their own scales.

    >>> box = view_box([np.array([[4.0, 3.0], [0.8, -4.2], [0.2, 5.9]])], anchors=[[0.0, 0.0]], pad=0)
    >>> box.low, box.high
    (array([ 0. , -4.2]), array([4. , 5.9]))
    """
    paths = [p for p in paths if len(p)]
    core_points = [p[0] for p in paths] + [_small(a) for a in anchors] + [_small(e) for e in ends]
    d = len(core_points[0]) if core_points else 1
    if not core_points:
        return Box(-np.ones(d), np.ones(d))
    core = _widened(Box.around(core_points), paths)
    with np.errstate(over="ignore"):  # beyond the largest number lies nothing
        far = Box(core.centre - reach * core.size.max() / 2, core.centre + reach * core.size.max() / 2)
    near = [p[far.contains(p)] for p in paths]
    box = Box.around(np.concatenate([np.asarray(core_points), *near]))
    if domain is not None:
        whole = Box(*np.asarray(domain, dtype=np.float64).T)
        if np.any(box.size > whole.size / 5) and np.all(whole.contains([p[0] for p in paths])):
            box = Box(np.minimum(box.low, whole.low), np.maximum(box.high, whole.high))
            pad = 0.0 if np.array_equal(box.size, whole.size) else pad
    if not box.size.any():  # nothing moves: the view is as wide as the place is far from the origin
        half = float(np.abs(box.centre).max()) / 2 or 1.0
        box = Box(box.low - half, box.high + half)
    box = _with_thickness(box)
    box = Box(box.low - pad * box.size, box.high + pad * box.size)
    return box if aspect is None else equal_scales(box, aspect)


def equal_scales(box: Box, aspect: float) -> Box:
    """A 2-D box widened on one side so that width / height = aspect, unless it is over 6 times out of proportion."""
    width, height = box.size
    ratio = width / height / aspect
    if not 1 / 6 <= ratio <= 6:
        return box
    return box.scaled(np.array([max(1.0, 1 / ratio), max(1.0, ratio)]))


def _small(point: ArrayLike) -> Floats:
    return np.clip(np.nan_to_num(np.asarray(point, dtype=np.float64), nan=0.0, posinf=HUGE, neginf=-HUGE), -HUGE, HUGE)


def _widened(core: Box, paths: Sequence[Floats]) -> Box:
    """A core that is a single point (no minimum is known, or the start is there) takes in a typical stretch of path."""
    if core.size.max() > 1e-9 * max(1.0, float(np.abs(core.centre).max())):
        return core
    away = np.concatenate([np.abs(p - p[0]).max(axis=1) for p in paths])
    away = away[away > 0]
    half = float(np.median(away)) if away.size else 0.0
    half = max(half, 1e-3 * float(np.abs(core.centre).max()), 1e-12)
    return Box(core.low - half, core.high + half)


def _with_thickness(box: Box) -> Box:
    """A side without extent gets half of the longest; none is thinner than the numbers there can be told apart."""
    longest = float(box.size.max())
    least = max(1e-9 * float(np.abs(box.centre).max()), 1e-12)
    wanted = np.where(box.size > 1e-3 * longest, box.size, 0.5 * longest)
    grow = np.maximum(np.maximum(wanted, least) - box.size, 0.0) / 2
    return Box(box.low - grow, box.high + grow)


# -- paths ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PathView:
    """A path of a 2-D descent as it is drawn inside a box."""

    #: Line segments, shape (m, 2, 2), all inside the box; repeated ones are left out.
    segments: Floats
    #: Visited points inside the box, shape (k, 2), and their step numbers (indices of the path).
    points: Floats
    index: NDArray[np.int64]
    #: Where the path leaves for good: the point on the frame and the direction there; None where it ends inside.
    exit: tuple[Floats, Floats] | None
    #: The last finite point, wherever it lies.
    last: Floats

    def lines(self) -> list[Floats]:
        """The segments joined into unbroken lines, each of shape (k, 2)."""
        if not len(self.segments):
            return []
        broken = np.flatnonzero(np.any(self.segments[1:, 0] != self.segments[:-1, 1], axis=1)) + 1
        runs = np.split(self.segments, broken)
        return [np.concatenate([run[:1, 0], run[:, 1]]) for run in runs]


def path_view(path: Floats, box: Box, pixels: int = 700) -> PathView:
    """Clip a path (n, 2) to a box, leaving out what could not be told apart on `pixels` × `pixels` dots.

    A path that leaves the box and comes back is drawn as far as the frame each time; after it leaves for good only the
    first stretch is drawn, up to the frame.
    """
    inside = box.contains(path)
    last_in = int(np.flatnonzero(inside)[-1]) if inside.any() else 0
    kept = _collapsed(path[: min(last_in + 2, len(path))], box, pixels)
    segments = np.stack([kept[:-1], kept[1:]], axis=1)
    clipped, visible = clip_segments(segments, box)
    leaving = None
    if last_in + 1 < len(path) and len(clipped) and visible[-1]:
        leaving = (clipped[-1, 1], clipped[-1, 1] - clipped[-1, 0])
    index = np.flatnonzero(inside)
    fresh = _distinct(_dots(path[index], box, pixels))
    drawn = clipped[visible]
    codes = _dots(drawn.reshape(-1, 2), box, pixels).reshape(-1, 2)
    distinct = _distinct(codes[:, 0] * 2**21 + codes[:, 1])
    return PathView(drawn[distinct], path[index[fresh]], index[fresh], leaving, path[-1])


def clip_segments(segments: Floats, box: Box) -> tuple[Floats, NDArray[np.bool_]]:
    """Cut segments (m, 2, 2) at the box (Liang and Barsky): the cut segments, and which of them meet the box."""
    start, step = segments[:, 0], segments[:, 1] - segments[:, 0]
    with np.errstate(all="ignore"):
        to_low, to_high = (box.low - start) / step, (box.high - start) / step
    parallel = step == 0
    within = (start >= box.low) & (start <= box.high)
    enter = np.where(parallel, np.where(within, -np.inf, np.inf), np.minimum(to_low, to_high)).max(axis=1, initial=0.0)
    leave = np.where(parallel, np.where(within, np.inf, -np.inf), np.maximum(to_low, to_high)).min(axis=1, initial=1.0)
    visible = enter <= leave
    enter, leave = np.where(visible, enter, 0.0), np.where(visible, leave, 0.0)
    ends = np.stack([start + enter[:, None] * step, start + leave[:, None] * step], axis=1)
    return np.where(visible[:, None, None], np.clip(ends, box.low, box.high), box.centre), visible


def _collapsed(path: Floats, box: Box, pixels: int) -> Floats:
    """Without the points that fall on the same dot as the one before; the last two stay, as does any point outside."""
    if len(path) < 4:
        return path
    inside = box.contains(path)
    dots = _dots(np.clip(path, box.low, box.high), box, pixels)
    keep = np.ones(len(path), dtype=bool)
    keep[1:-2] = (dots[1:-2] != dots[:-3]) | ~inside[1:-2]
    return path[keep]


def _dots(points: Floats, box: Box, pixels: int) -> NDArray[np.int64]:
    """One integer per point: the dot of the screen it falls on."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    at = np.rint((points - box.low) / box.size * pixels).astype(np.int64)
    return at[:, 0] * 1024 + at[:, 1]


def _distinct(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of the first of each distinct code, and the very last one, in order."""
    if not len(codes):
        return np.zeros(0, dtype=np.int64)
    first = np.unique(codes, return_index=True)[1]
    return np.unique(np.append(first, len(codes) - 1)).astype(np.int64)


# -- curves ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Curve:
    """One line over the steps, finite and clipped just outside the frame."""

    x: Floats
    y: Floats
    #: Where the line leaves the frame for good, (step, side): +1 above, −1 below; None where it stays.
    exit: tuple[float, int] | None
    #: Its last value that is a number, perhaps infinite, the step of that, and the first step whose value is no number.
    last: float
    last_step: float = 0.0
    broken: float | None = None


@dataclass(frozen=True)
class CurveView:
    """Curves that share axes. `offset` was subtracted from every value."""

    curves: tuple[Curve, ...]
    scale: Literal["linear", "log"]
    xlim: tuple[float, float]
    ylim: tuple[float, float]
    offset: float = 0.0


def thin(x: Floats, y: Floats, bins: int = BINS) -> tuple[Floats, Floats]:
    """Fewer points that draw the same line: first, lowest, highest and last of each of `bins` stretches.

    >>> thin(np.arange(6.0), np.array([0.0, 1.0, 9.0, 1.0, 1.0, 2.0]), bins=1)[1]
    array([0., 9., 2.])
    """
    n = len(x)
    if n <= 4 * bins:
        return x, y
    edges = np.linspace(0, n, bins + 1).astype(np.int64)
    keep: list[int] = []
    for low, high in itertools.pairwise(edges):
        if high > low:
            part = y[low:high]
            keep += sorted({int(low), int(low + part.argmin()), int(low + part.argmax()), int(high - 1)})
    kept = np.array(keep)
    return x[kept], y[kept]


def curve_view(series: Sequence[tuple[ArrayLike, ArrayLike]], *, log: bool | None = None, offset: float = 0.0) -> CurveView:
    """Put (steps, values) pairs on common axes that no divergence can spoil.

    A log axis is chosen when the values are positive and span more than 1.5 decades; it shows at most 8 decades above the
    largest first value and 18 below. A linear axis shows what stays within three times the usual range.
    """
    pairs = [(np.asarray(x, np.float64), _above(np.asarray(y, np.float64), offset)) for x, y in series]
    finite = [np.clip(y[np.isfinite(y)], -HUGE, HUGE) for _, y in pairs]
    some = [y for y in finite if len(y)]
    values = np.concatenate(some) if some else np.array([0.0, 1.0])
    logarithmic = _wants_log(values) if log is None else log and bool(np.any(values > 0))
    firsts = np.array([y[0] for y in some]) if some else values
    ylim = _log_limits(values, firsts) if logarithmic else _linear_limits(values, some)
    steps = [x for x, _ in pairs if len(x)]
    curves = tuple(_curve(x, y, ylim, logarithmic) for x, y in pairs)
    first, last = (min(x[0] for x in steps), max(x[-1] for x in steps)) if steps else (0.0, 1.0)
    if curves and all(c.exit is not None for c in curves):  # nothing is left to see after the last of them has gone
        last = min(last, first + 1.25 * (max(c.exit[0] for c in curves if c.exit) - first))
    room = 0.02 * max(last - first, 1.0)
    return CurveView(curves, "log" if logarithmic else "linear", (first - room, last + room), ylim, offset)


def _above(values: Floats, offset: float) -> Floats:
    """Heights above the offset, with what is only rounding error of the difference set to 0."""
    if offset == 0:
        return values
    with np.errstate(invalid="ignore"):
        heights = values - offset
        return np.where(np.abs(heights) <= 1e-13 * abs(offset), 0.0, heights)


def loss_view(traces: Sequence[Trace], minimum: float | None = None) -> CurveView:
    """Loss curves of several traces on common axes; the minimum's value is subtracted where it is known and below them all."""
    series = [(t.step, t.loss) for t in traces]
    values = np.concatenate([np.asarray(t.loss, np.float64) for t in traces])
    values = values[np.isfinite(values)]
    offset = 0.0
    if minimum is not None and math.isfinite(minimum) and minimum != 0 and values.size:
        slack = 1e-9 * max(1.0, abs(minimum))
        offset = minimum if values.min() >= minimum - slack else 0.0
    return curve_view(series, offset=offset)


def coordinate_view(traces: Sequence[Trace], coordinate: int) -> CurveView:
    """One coordinate of several traces over the steps."""
    return curve_view([(t.columns["point"].step, t.points[:, coordinate]) for t in traces], log=False)


def _wants_log(values: Floats) -> bool:
    positive = values[values > 0]
    if len(positive) < 2 or np.any(values < 0):
        return False
    return bool(math.log10(positive.max()) - math.log10(positive.min()) > 1.5)


def _log_limits(values: Floats, firsts: Floats) -> tuple[float, float]:
    positive = values[values > 0]
    starts = firsts[firsts > 0]
    top = math.log10(starts.max() if starts.size else np.median(positive))
    high = min(math.log10(positive.max()), top + DECADES_UP, 300.0)
    low = max(math.log10(positive.min()), top - DECADES_DOWN, -300.0)
    low = min(low, high - 1.0)
    room = 0.05 * (high - low)
    return float(10 ** (low - room)), float(10 ** (high + room))


def _linear_limits(values: Floats, series: Sequence[Floats]) -> tuple[float, float]:
    """All values, unless the outer ones are far beyond the usual range around the starts."""
    low, high = float(values.min()), float(values.max())
    starts = [float(y[0]) for y in series] or [low]
    tame = [y for y in series if np.abs(y - y[0]).max() <= 20 * max(np.median(np.abs(y - y[0])), 1e-300)]
    base = np.concatenate([np.array(starts), *tame]) if tame else np.array([*starts, float(np.median(values))])
    size = max(float(np.ptp(base)), 1e-3 * float(np.abs(base).max()))
    low, high = max(low, float(base.min()) - REACH * size), min(high, float(base.max()) + REACH * size)
    room = 0.06 * (high - low) if high - low > 1e-9 * abs(high) else 0.5 * max(abs(high), 1e-12)
    return low - room, high + room


def _curve(x: Floats, y: Floats, ylim: tuple[float, float], logarithmic: bool) -> Curve:
    """Clip to just outside the frame and note where the line leaves it for good."""
    nan = np.isnan(y)
    broken = float(x[int(np.argmax(nan))]) if nan.any() else None
    x, y = x[~nan], y[~nan]
    last, end = (float(y[-1]), float(x[-1])) if len(y) else (math.nan, 0.0)
    low, high = ylim
    beyond = (low / 10 ** (0.3), high * 10 ** (0.3)) if logarithmic else (low - (high - low), high + (high - low))
    with np.errstate(invalid="ignore"):
        inside = (y >= low) & (y <= high)
    leaving = None
    if len(y) and not inside[-1] and inside.any():
        k = int(np.flatnonzero(inside)[-1])
        side = 1 if y[k + 1] > high else -1
        leaving = (float(x[k + 1]), side)
        x, y = x[: k + 2], y[: k + 2]
    y = np.clip(y, *beyond)
    x, y = thin(x, y) if len(x) > THIN_ABOVE else (x, y)
    return Curve(x, y, leaving, last, end, broken)


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# -- words ----------------------------------------------------------------------------------------------------------------


def number(value: float, digits: int = 3) -> str:
    """A number as a person writes it: 0.4, −2.5, 1.9×10⁷.

    >>> number(18_901_000.0), number(-0.25), number(float("inf"))
    ('1.89×10⁷', '−0.25', '∞')
    """
    if value != value:
        return "no number"
    if abs(value) == float("inf"):
        return "∞" if value > 0 else "−∞"
    if 1000 <= abs(value) < 99_999.5:
        return f"{value:,.{max(0, digits - 5)}f}".replace("-", "−")
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return text.replace("-", "−")


def trace_labels(traces: Sequence[Trace]) -> tuple[str, ...]:
    """A label per trace: the optimizer, its lr, and whatever else tells it from the others.

    >>> trace_labels([Trace({}, config={"optimizer": "sgd", "hyperparameters": {"lr": 0.1}})])
    ('sgd  lr 0.1',)
    """
    labels = []
    for t in traces:
        own = _numbers(t.config)
        base = t.name or str(t.config.get("optimizer", "")) or t.source or "run"
        same = [o for o in traces if o.config.get("optimizer") == t.config.get("optimizer")]
        varied = {k for k in own if any(_numbers(o.config).get(k) != own[k] for o in same)}
        shown = [k for k in own if k == "lr" or k in varied or len(own) <= 2]
        labels.append("  ".join([base, *(f"{k} {own[k]:.4g}" for k in shown)]))
    if len(set(labels)) < len(labels):
        labels = [f"{label}  #{i + 1}" if labels.count(label) > 1 else label for i, label in enumerate(labels)]
    return tuple(labels)


def _numbers(config: Mapping[str, Any]) -> dict[str, float]:
    hyper = config.get("hyperparameters") or {}
    return {k: float(v) for k, v in hyper.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def outcome_words(trace: Trace) -> str:
    """The outcome in a few words: `converged, loss 2.1e-09`, `diverged at step 12`."""
    kind = trace.outcome.kind if trace.outcome else ""
    last = float(trace.loss[-1]) if "loss" in trace.columns and len(trace.loss) else math.nan
    value = f"loss {number(last)}"
    if kind == "step_budget":
        return f"{value} after {trace.steps:,} steps"
    return f"{kind}, {value}" if kind else value
