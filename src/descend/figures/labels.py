"""Where the words of a figure go: beside their point, off the path, off each other, inside the frame. Plain geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from descend.figures.data import Floats

__all__ = ["Label", "place_labels", "text_width"]

#: Directions tried, as the side of the point on which the words stand.
_SIDES = ((1, 0.0), (-1, 0.0), (1, 1.0), (-1, 1.0), (1, -1.0), (-1, -1.0), (0, 1.0), (0, -1.0))


@dataclass(frozen=True)
class Label:
    """Words beside a point, in points (1/72 inch) of the frame: the lower left corner of their rectangle, and its size."""

    text: str
    anchor: tuple[float, float]
    x: float
    y: float
    width: float
    height: float


def place_labels(
    texts: Sequence[str],
    anchors: Floats,
    frame: tuple[float, float],
    *,
    avoid: Floats | None = None,
    font: float = 8.5,
    gap: float = 8.0,
) -> list[Label]:
    """Choose a side for each text: the one that covers the fewest of the points `avoid` (k, 2) and no other text.

    All lengths are in points; `anchors` has shape (n, 2) and `frame` is the frame's width and height.

    >>> [(round(l.x), round(l.y)) for l in place_labels(["start"], np.array([[10.0, 50.0]]), (100, 100))]
    [(18, 45)]
    """
    placed: list[Label] = []
    obstacles = np.zeros((0, 2)) if avoid is None else avoid
    everywhere = np.concatenate([obstacles, anchors])
    for text, (ax, ay) in zip(texts, anchors, strict=True):
        width, height = text_width(text, font), 1.2 * font
        best: tuple[float, Label] | None = None
        for order, (side, up) in enumerate(_SIDES):
            for far in (1.0, 2.4):
                x = ax + side * gap * far if side > 0 else ax + side * gap * far - width if side < 0 else ax - width / 2
                y = ay - height / 2 + up * (gap * far + height / 2) * (1.0 if side == 0 else 0.8)
                here = Label(text, (float(ax), float(ay)), float(x), float(y), width, height)
                cost = _cost(here, placed, everywhere, frame) + 0.01 * order + 1.5 * (far > 1)
                if best is None or cost < best[0]:
                    best = (cost, here)
        assert best is not None
        placed.append(best[1])
    return placed


def text_width(text: str, font: float) -> float:
    """About how wide DejaVu Sans sets a text, in points."""
    return font * sum(0.97 if c in "mwMW" else 0.36 if c in "ijl.,:;()' " else 0.62 for c in text)


def _cost(label: Label, placed: Sequence[Label], points: Floats, frame: tuple[float, float]) -> float:
    x, y, w, h = label.x, label.y, label.width, label.height
    outside = max(0.0, 3 - x) + max(0.0, x + w + 3 - frame[0]) + max(0.0, 3 - y) + max(0.0, y + h + 3 - frame[1])
    covered = np.count_nonzero(
        (points[:, 0] > x - 3) & (points[:, 0] < x + w + 3) & (points[:, 1] > y - 2) & (points[:, 1] < y + h + 2)
    )
    overlap = sum(x < o.x + o.width + 4 and o.x < x + w + 4 and y < o.y + o.height + 2 and o.y < y + h + 2 for o in placed)
    return 3.0 * outside + 0.4 * min(float(covered), 40.0) + 100.0 * overlap
