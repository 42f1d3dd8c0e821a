"""A linear fit as a picture: the data with the fitted line, the plane of its two coefficients, and the loss.

With several features: predicted against actual values, the coefficients beside least squares, and the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from descend.errors import DescendError
from descend.figures.data import Box, Floats, curve_view, finite_path, number, path_view, view_box
from descend.figures.ground import draw_contours, draw_path, draw_places, name_vertical, set_view
from descend.figures.scene import Place
from descend.figures.steps import draw_curves
from descend.figures.style import COLOURS, FAINT, INK, MUTED, axes_at, fitted, look_of, new_figure
from descend.trace import Trace, column

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FitPicture", "draw_fit", "draw_fit_many", "fit_picture", "mse_plane"]

#: More data points than this are drawn as a regular sample of so many.
MOST_POINTS = 3000
BOTTOM = 0.62


@dataclass(frozen=True)
class FitPicture:
    """What the picture of a line fit shows."""

    x: Floats
    y: Floats
    #: Ends of the lines, shape (2, 2): by descent (None where it is not finite or far outside) and by least squares.
    descent_line: Floats | None
    least_squares_line: Floats
    #: Vertical pieces from a few points to the line by descent, shape (k, 2, 2).
    residuals: Floats
    #: View of the (w, b) plane, and of the data.
    plane: Box
    frame: Box


def mse_plane(x: ArrayLike, y: ArrayLike, w_b: ArrayLike) -> Floats:
    """The mean squared error of y ≈ w·x + b at points (w, b) of shape (n, 2), from five sums over the data.

    >>> mse_plane([0, 1], [1, 3], [[2, 1], [0, 0]])
    array([0., 5.])
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    w, b = np.asarray(w_b, dtype=np.float64).T
    mx, my = x.mean(), y.mean()
    dx, dy = x - mx, y - my
    sxx, sxy, syy = (dx @ dx) / len(x), (dx @ dy) / len(x), (dy @ dy) / len(x)
    shift = w * mx + b - my
    return np.asarray(np.maximum(w * w * sxx - 2 * w * sxy + syy, 0.0) + shift * shift)


def fit_picture(
    x: ArrayLike, y: ArrayLike, w_b: ArrayLike, least_squares: tuple[float, float], aspect: float = 1.0
) -> FitPicture:
    """Work out what the picture shows; x, y of shape (n,), the path w_b of shape (steps + 1, 2)."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    finite = np.isfinite(x) & np.isfinite(y)
    every = max(1, int(np.count_nonzero(finite)) // MOST_POINTS)
    shown_x, shown_y = x[finite][::every], y[finite][::every]
    if not len(shown_x):
        raise DescendError("there are no finite data points to draw")
    path = _finite_rows(w_b)
    frame = view_box([np.stack([shown_x, shown_y], axis=1)], ends=_corners(shown_x, shown_y))
    ends = frame.low[0], frame.high[0]
    w, b = path[-1] if len(path) else (np.nan, np.nan)
    line = _line(w, b, ends)
    middle, height = frame.centre[1], frame.size[1]
    drawn = line if np.all(np.isfinite(line)) and np.abs(line[:, 1] - middle).max() < 50 * height else None
    some = np.linspace(0, len(shown_x) - 1, min(len(shown_x), 40)).astype(int)
    residuals = np.zeros((0, 2, 2))
    if drawn is not None:
        feet = np.stack([shown_x[some], w * shown_x[some] + b], axis=1)
        residuals = np.stack([np.stack([shown_x[some], shown_y[some]], axis=1), feet], axis=1)
    plane = view_box([path] if len(path) else [], [least_squares], aspect=aspect)
    return FitPicture(shown_x, shown_y, drawn, _line(*least_squares, ends), residuals, plane, frame)


def draw_fit(
    x: ArrayLike,
    y: ArrayLike,
    w_b: ArrayLike,
    loss: ArrayLike,
    least_squares: tuple[float, float],
    *,
    x_label: str = "x",
    y_label: str = "y",
    title: str = "",
    subtitle: str = "",
    label: str = "gradient descent",
    least_loss: float | None = None,
    size: tuple[float, float] = (13.2, 4.9),
) -> Figure:
    """Draw a line fitted by descent: the data and both lines, the path in the plane of (w, b), and the loss.

    x, y: the data, shape (n,). w_b: slope and intercept before each step and at the end, shape (steps + 1, 2), in the units of
    x and y. loss: the mean squared error at those, shape (steps + 1,). least_squares: (w, b) of the closed form.

    >>> f = draw_fit([0, 1, 2], [1, 3, 5], [[0, 0], [1.5, 0.9]], [11.67, 0.8], (2.0, 1.0))
    >>> len(f.axes)
    3
    """
    width, height = size
    figure = new_figure(width, height)
    tall = height - BOTTOM - 0.95
    wide = (width - 3.1) / 3
    lefts = [0.72, 0.72 + wide + 0.85, 0.72 + 2 * wide + 1.9]
    picture = fit_picture(x, y, w_b, least_squares, wide / tall)
    _heading(figure, title or f"{y_label} ≈ w·{x_label} + b", subtitle)
    _draw_data(axes_at(figure, lefts[0], BOTTOM, wide, tall), picture, (x_label, y_label), label)
    _draw_plane(
        axes_at(figure, lefts[1], BOTTOM, wide, tall, framed=True),
        picture,
        (np.asarray(x), np.asarray(y)),
        w_b,
        least_squares,
        (wide, tall),
    )
    _draw_loss(axes_at(figure, lefts[2], BOTTOM, width - lefts[2] - 0.25, tall), loss, least_loss)
    return figure


def draw_fit_many(
    actual: ArrayLike,
    predicted: ArrayLike,
    loss: ArrayLike,
    names: Sequence[str],
    coefficients: ArrayLike,
    least_squares: ArrayLike,
    *,
    y_label: str = "y",
    title: str = "",
    subtitle: str = "",
    least_loss: float | None = None,
    size: tuple[float, float] = (13.2, 4.9),
) -> Figure:
    """Draw a fit of several features: predicted against actual, coefficients beside least squares, and the loss.

    actual, predicted: shape (n,). names, coefficients, least_squares: one per feature, on a common scale (that of standardised
    features, say). loss: shape (steps + 1,).
    """
    width, height = size
    figure = new_figure(width, height)
    tall = height - BOTTOM - 0.95
    wide = (width - 3.5) / 3
    _heading(figure, title or f"{y_label} from {len(names)} features", subtitle)
    _draw_predicted(axes_at(figure, 0.72, BOTTOM, wide, tall), actual, predicted, y_label)
    bars = axes_at(figure, 0.72 + wide + 1.35, BOTTOM, wide, tall)
    _draw_bars(bars, names, coefficients, least_squares)
    left = 0.72 + 2 * wide + 2.3
    _draw_loss(axes_at(figure, left, BOTTOM, width - left - 0.25, tall), loss, least_loss)
    return figure


# -- parts ----------------------------------------------------------------------------------------------------------------


def _line(w: float, b: float, ends: tuple[float, float]) -> Floats:
    return np.array([[e, w * e + b] for e in ends])


def _corners(x: Floats, y: Floats) -> list[Floats]:
    return [np.array([x.min(), y.min()]), np.array([x.max(), y.max()])]


def _finite_rows(w_b: ArrayLike) -> Floats:
    rows = np.asarray(w_b, dtype=np.float64).reshape(-1, 2)
    return finite_path(Trace({"point": column(range(len(rows)), rows)}))


def _heading(figure: Figure, title: str, subtitle: str) -> None:
    width, height = figure.get_size_inches()
    words = fitted(title, width, 13)
    figure.text(0.2 / width, 1 - 0.32 / height, words, fontsize=13, fontweight="bold", color=INK, va="baseline")
    figure.text(0.2 / width, 1 - 0.57 / height, fitted(subtitle, width, 9.5), fontsize=9.5, color=MUTED, va="baseline")


def _draw_data(axes: Axes, picture: FitPicture, names: tuple[str, str], label: str) -> None:
    from matplotlib.collections import LineCollection

    set_view(axes, picture.frame)
    few = len(picture.x) <= 400
    axes.add_collection(LineCollection(list(picture.residuals), colors="#C9A08E", linewidths=0.8, zorder=1), autolim=False)
    axes.plot(
        picture.x, picture.y, "o", color="#7D8B97", markersize=3.8 if few else 2, markeredgecolor="none", alpha=0.8, zorder=2
    )
    axes.plot(*picture.least_squares_line.T, color=INK, linewidth=1.3, linestyle=(0, (4, 2)), label="least squares", zorder=4)
    if picture.descent_line is not None:
        axes.plot(*picture.descent_line.T, color=COLOURS[0], linewidth=1.9, label=label, zorder=3)
    words = "data, lines, some residuals" if picture.descent_line is not None else "data; the line by descent is out of range"
    axes.set_title(words, fontsize=9.5, color=MUTED, loc="left", pad=5)
    axes.set_xlabel(names[0], fontsize=9.5, color=INK, labelpad=2)
    axes.set_ylabel(names[1], fontsize=9.5, color=INK, labelpad=2)
    axes.legend(fontsize=8.5, frameon=False, loc="best", labelcolor=INK, handlelength=2.2)


def _draw_plane(
    axes: Axes,
    picture: FitPicture,
    data: tuple[Floats, Floats],
    w_b: ArrayLike,
    least_squares: tuple[float, float],
    inches: tuple[float, float],
) -> None:
    box = picture.plane
    set_view(axes, box)
    whole = np.isfinite(data[0]) & np.isfinite(data[1])
    x, y = data[0][whole], data[1][whole]
    best = float(mse_plane(x, y, [least_squares])[0])
    draw_contours(axes, lambda p: mse_plane(x, y, p), box, best, arrows=False)
    path = _finite_rows(w_b)
    places = [Place("level", np.asarray(least_squares, dtype=np.float64), "least squares")]
    views = []
    if len(path):
        view = path_view(path, box)
        views = [view]
        draw_path(axes, view, look_of(0), alone=True)
        places.append(Place("start", path[0], "start"))
        if view.exit is not None:
            last = np.asarray(w_b, dtype=np.float64).reshape(-1, 2)
            far = last[np.all(np.isfinite(last), axis=1)][-1]
            places.append(Place("exit", view.exit[0], f"off to ({number(far[0])}, {number(far[1])})", 0))
        else:
            places.append(Place("end", view.last, f"after {len(path) - 1:,} steps", 0))
    draw_places(axes, places, views, box, inches)
    axes.set_title("mean squared error over (w, b)", fontsize=9.5, color=MUTED, loc="left", pad=5)
    axes.set_xlabel("w", fontsize=9.5, color=INK, labelpad=2)
    name_vertical(axes, "b")


def _draw_loss(axes: Axes, loss: ArrayLike, least: float | None) -> None:
    """The loss itself, not its excess, with the floor that least squares sets."""
    values = np.asarray(loss, dtype=np.float64)
    view = curve_view([(np.arange(len(values)), values)])
    draw_curves(axes, view, "mean squared error")
    if least is not None and np.isfinite(least) and view.ylim[0] < least < view.ylim[1]:
        axes.axhline(least, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=2)
        axes.annotate(
            f"least squares {number(least)}",
            (0, least),
            xycoords=("axes fraction", "data"),
            xytext=(4, 4),
            textcoords="offset points",
            ha="left",
            fontsize=8.5,
            color=INK,
        )


def _draw_predicted(axes: Axes, actual: ArrayLike, predicted: ArrayLike, name: str) -> None:
    both = np.stack([np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)], axis=1)
    both = both[np.all(np.isfinite(both), axis=1)]
    if len(both):
        truth = both[:, 0]
        box = view_box([np.stack([truth, truth], axis=1)], ends=[[truth.min()] * 2, [truth.max()] * 2])
        set_view(axes, box)
        axes.plot(*np.stack([box.low, box.high]).T, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=2)
        near = both[box.contains(both)]
        near = near[:: max(1, len(near) // MOST_POINTS)]
        axes.plot(*near.T, "o", color=COLOURS[0], markersize=3.6, alpha=0.6, markeredgecolor="none", zorder=3)
        outside = int(len(both) - np.count_nonzero(box.contains(both)))
        more = f"; {outside:,} outside the frame" if outside else ""
        axes.set_title(f"predicted against actual{more}", fontsize=9.5, color=MUTED, loc="left", pad=5)
    axes.set_xlabel(f"actual {name}", fontsize=9.5, color=INK, labelpad=2)
    axes.set_ylabel(f"predicted {name}", fontsize=9.5, color=INK, labelpad=2)


def _draw_bars(axes: Axes, names: Sequence[str], coefficients: ArrayLike, least_squares: ArrayLike, most: int = 14) -> None:
    """Bars by descent beside marks by least squares, largest first; those out of range are cut at the frame."""
    own = np.asarray(coefficients, dtype=np.float64)
    exact = np.asarray(least_squares, dtype=np.float64)
    size = np.abs(np.nan_to_num(exact, nan=0.0, posinf=0.0, neginf=0.0))
    order = np.argsort(-size, kind="stable")[:most]
    reach = 1.3 * max(float(size.max(initial=0.0)), 1e-12)
    finite = own[np.isfinite(own)]
    reach = max(reach, min(3 * reach, 1.1 * float(np.abs(finite).max(initial=0.0))))
    at = np.arange(len(order))
    shown = np.clip(np.nan_to_num(own[order], nan=0.0, posinf=2 * reach, neginf=-2 * reach), -2 * reach, 2 * reach)
    axes.barh(at, shown, height=0.56, color=COLOURS[0], alpha=0.85, label="gradient descent", zorder=2)
    axes.plot(
        size[order] * np.sign(np.nan_to_num(exact[order])),
        at,
        "|",
        color=INK,
        markersize=15,
        markeredgewidth=1.8,
        label="least squares",
        zorder=3,
    )
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_xlim(min(0.0, -reach if shown.min(initial=0) < 0 or exact.min(initial=0) < 0 else -0.05 * reach), reach)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_yticks(at, [names[i] if len(names[i]) <= 16 else f"{names[i][:15]}…" for i in order])
    axes.grid(True, axis="x", color=FAINT, linewidth=0.6)
    more = f" ({most} largest of {len(own)})" if len(own) > most else ""
    axes.set_title(f"coefficients{more}", fontsize=9.5, color=MUTED, loc="left", pad=5)
    axes.legend(fontsize=8.5, frameon=False, loc="lower right", labelcolor=INK)
