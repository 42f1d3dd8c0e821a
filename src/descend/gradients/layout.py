"""Numbers and columns for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["columns", "number", "size"]


def number(value: float, digits: int = 7) -> str:
    """A number in up to so many digits, whole ones with their point: 18.0, 18.0003, 1e-12.

    >>> number(18.0), number(18.000300000004), number(1e-12)
    ('18.0', '18.0003', '1e-12')
    """
    if not math.isfinite(value):
        return "not finite"
    text = f"{value + 0.0:.{digits}g}"
    return (text if any(c in text for c in ".e") else text + ".0").replace("-", "−").replace("e−", "e-")


def size(value: float) -> str:
    """An error's size: `6.7e-10`; exact agreement is 0."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.1e}" if value else "0"


def columns(rows: Sequence[Sequence[str]], align: str, indent: str = "  ", gap: str = "   ") -> list[str]:
    """Lines with the cells of each column below each other; `align` holds < or > for each.

    >>> columns([["x", "8.0"], ["norm", "19.7"]], "<>")
    ['  x       8.0', '  norm   19.7']
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(align))]
    lines = []
    for row in rows:
        cells = [f"{cell:{side}{width}}" for cell, side, width in zip(row, align, widths, strict=True)]
        lines.append((indent + gap.join(cells)).rstrip())
    return lines
