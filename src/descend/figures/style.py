"""How descend's figures look, and how they become files. Matplotlib's objects only: no pyplot, no global state kept."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from descend.errors import DescendError
from descend.figures.data import number
from descend.trace import strict_json, write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "INK",
    "MUTED",
    "Look",
    "axes_at",
    "fitted",
    "halo_text",
    "look_of",
    "new_figure",
    "plain_ticks",
    "power_of_ten",
    "save_figure",
    "write_figure",
]

#: Okabe and Ito's colours, which stay apart for colour-blind eyes; dashes and markers tell runs apart without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.3, 1.3)), (0, (5, 1.5, 1.3, 1.5)), (0, (8, 2)), (0, (3, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
INK, MUTED, FAINT, FRAME = "#222222", "#6B6B6B", "#D9D9D9", "#9A9A9A"

DPI = 144
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_saving = threading.Lock()


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure of that size in inches, with an Agg canvas of its own."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float, *, framed: bool = False) -> Axes:
    """Axes at a place given in inches, with light spines and small ticks."""
    w, h = figure.get_size_inches()
    axes = figure.add_axes((left / w, bottom / h, width / w, height / h))
    axes.set_facecolor("white")
    for side, spine in axes.spines.items():
        spine.set_visible(framed or side in ("left", "bottom"))
        spine.set_color(FRAME)
        spine.set_linewidth(0.8)
    axes.tick_params(colors=MUTED, labelsize=8.5, length=3, width=0.8, direction="out", which="major")
    axes.tick_params(length=0, which="minor")
    axes.set_axisbelow(True)
    return axes


def plain_ticks(axis: Axis, low: float, high: float, most: int) -> None:
    """At most so many ticks, with as many digits as it takes to tell them apart."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    digits = 3 + max(0, math.ceil(math.log10(max(abs(low), abs(high)) / (high - low))))
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda v, _: number(v, digits)))


def power_of_ten(value: float, _position: int = 0) -> str:
    """A tick of a log axis: 10⁻³; from 0.01 to 100 as it is.

    >>> power_of_ten(1e-3), power_of_ten(10.0)
    ('10⁻³', '10')
    """
    if 0.0099 < value < 101:
        return f"{value:g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    tens = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return tens if mantissa == "1" else f"{mantissa}×{tens}"


@dataclass(frozen=True)
class Look:
    """What tells one run from another."""

    colour: str
    dash: Any
    marker: str


def look_of(k: int) -> Look:
    """The look of the k-th run; dashes and markers have other periods than colours, so that looks repeat late."""
    return Look(COLOURS[k % len(COLOURS)], DASHES[k % len(DASHES)], MARKERS[k % len(MARKERS)])


def halo_text(axes: Axes, x: float, y: float, text: str, colour: str, side: Literal["left", "right"] = "left") -> None:
    """Words at a place given in parts of the frame, readable on any ground."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.6, foreground="white", alpha=0.9)]
    axes.text(
        x, y, text, transform=axes.transAxes, fontsize=8.5, color=colour, va="bottom", ha=side, zorder=10, path_effects=halo
    )


def fitted(text: str, width: float, font: float) -> str:
    """The text, cut to one line of a figure `width` inches wide."""
    room = int((width - 0.4) * 72 / (font * 0.55))
    return text if len(text) <= room else text[: room - 1].rsplit(" ", 1)[0] + " …"


def save_figure(figure: Figure, path: str | os.PathLike[str], about: Mapping[str, Any] | None = None) -> Path:
    """Write a figure as `.png` or `.svg`, whole or not at all.

    The same figure gives the same bytes: nothing in the file tells when it was made. `about` (a trace's configuration,
    say) is stored in the file's metadata as JSON.
    """
    target = Path(path)
    kind = target.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        ending = f"ends in {target.suffix}" if target.suffix else "has no ending"
        raise DescendError(f"a figure is saved as .png or .svg; {target.name!r} {ending}")
    write_atomically(target, lambda file: write_figure(figure, file, kind, about))
    return target


def write_figure(figure: Figure, file: BinaryIO, kind: str, about: Mapping[str, Any] | None = None) -> None:
    """Write to an open binary file; `kind` is png or svg."""
    import matplotlib as mpl

    described = {"Description": strict_json(dict(about))} if about else {}
    if kind == "png":
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": "descend", **described})
        return
    # The salt of an SVG's identifiers can only be set globally: it is put back at once, one thread at a time.
    with _saving, mpl.rc_context({"svg.hashsalt": "descend", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": "descend", **described})
