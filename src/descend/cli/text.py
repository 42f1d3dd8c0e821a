"""Plain tables and numbers for terminals and pipes."""

from __future__ import annotations

import math
import shutil
import textwrap
from collections.abc import Sequence

__all__ = ["labelled", "log_spaced", "number", "paragraph", "table", "width"]


def number(value: float, digits: int = 6) -> str:
    """A number in few characters; what is not finite is said in words.

    >>> number(18901017.8), number(float("inf")), number(-0.0)
    ('1.8901e+07', 'inf', '0')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "−inf"
    if value == 0:
        return "0"
    size = abs(value)
    if 1e-4 <= size < 1e6:
        text = f"{value:.{digits}g}"
        return text if "e" not in text else f"{value:.0f}"
    text = f"{value:.{digits - 2}e}"
    mantissa, exponent = text.split("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{exponent}"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 0) -> str:
    """Columns aligned to the right but for the first `left`; two spaces of margin and between columns.

    >>> print(table(["step", "loss"], [["0", "43"], ["10", "2.5"]]))
      step  loss
         0    43
        10   2.5
    """
    columns = list(zip(headers, *rows, strict=True)) if rows else [(h,) for h in headers]
    widths = [max(len(_bare(cell)) for cell in column) for column in columns]
    lines = []
    for row in [headers, *rows]:
        cells = [
            cell + " " * (w - len(_bare(cell))) if i < left else " " * (w - len(_bare(cell))) + cell
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def _bare(cell: str) -> str:
    """The cell without combining marks, which take no room."""
    return cell.replace("\u0302", "")


def width() -> int:
    """Columns to write in: the terminal's, within reason."""
    return max(60, min(110, shutil.get_terminal_size((100, 24)).columns))


def paragraph(text: str, indent: int = 0) -> str:
    """Text wrapped to the terminal, later lines indented."""
    return textwrap.fill(text, width(), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def labelled(label: str, text: str, size: int = 11) -> str:
    """A label and a paragraph that hangs beside it, two spaces apart where the label is long.

    >>> print(labelled("why", "The limit is 0.3333."))
    why        The limit is 0.3333.
    """
    return paragraph(f"{label + '  ':<{size}}{text}", size)


def log_spaced(last: int) -> list[int]:
    """0, 1, 2, 3, 5, 10, 20, 50, … and the last: the steps a table shows.

    >>> log_spaced(37)
    [0, 1, 2, 3, 5, 10, 20, 37]
    """
    shown = [0, 1, 2, 3, 5]
    scale = 10
    while scale <= last:
        shown += [scale, 2 * scale, 5 * scale]
        scale *= 10
    return sorted({s for s in shown if s <= last} | {last})
