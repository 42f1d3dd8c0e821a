"""A reader's own table, read as `descend fit` reads it: its columns, and two of them as points."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.lab.desk import Talk
from descend.lab.frames import Frame
from descend.lab.linefit import MOST_POINTS
from descend.objectives.data import choose
from descend.objectives.tables import Column, read_table

__all__ = ["line_table"]

LONGEST = 64 * 1024
#: Numbers are sent back to be fitted again and again: so many digits of each.
DIGITS = 9
#: The largest number that a page fits: the descent starts from the mean, and a line's w and b reach this far.
MOST = 1e9
#: Characters that all points together may take in a question, which also holds what is asked about them.
ROOM = 60 * 1024


def line_table(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The columns of a table given as text, and two of them as points: `x`, `y` (n,), n up to 2000.

    `start` is the level line through the mean, where a descent in standardised units begins. Without `x` and `y` the target is
    the last column of numbers, and the feature the one that goes with it best.
    """
    text, name = params.get("text"), params.get("name", "the data")
    if not isinstance(text, str) or not text.strip():
        raise DescendError("the table is empty: it needs a header and rows of numbers")
    if len(text) > LONGEST:
        raise DescendError(f"a page reads up to {LONGEST // 1024} KB at a time; for more: descend fit")
    source = io.BytesIO(text.encode("utf-8", "replace"))
    source.name = str(name)[:80] or "the data"
    table = read_table(source)
    numeric = [
        c for c in table.columns if c.numbers >= 2 and not c.words and len(np.unique(c.values[np.isfinite(c.values)])) > 1
    ]
    if len(numeric) < 2:
        raise DescendError(
            f"{table.source} has {_count(len(numeric))} of numbers that vary; a line needs two, one for x and one for y"
        )
    target = table.column(str(params["y"]), "target") if params.get("y") else numeric[-1]
    feature = table.column(str(params["x"]), "feature") if params.get("x") else _companion(numeric, target)
    data = choose(table, target.name, [feature.name])
    notes, x, y = list(data.notes), data.X[:, 0], data.y
    largest = max(float(np.abs(values).max()) for values in (x, y))
    if largest > MOST:
        raise DescendError(f"a page fits numbers up to {MOST:g}, and {table.source} holds {largest:.4g}: rescale the column")
    start, most = [0.0, float(y.mean())], _most(x, y)
    many = len(x) > most
    if many:
        kept = np.linspace(0, len(x) - 1, most).round().astype(int)
        notes.append(f"{most:,} of {len(x):,} rows are taken, evenly: what a page holds; descend fit takes all")
        x, y = x[kept], y[kept]
    arrays: dict[str, NDArray[Any]] = {"x": _rounded(x), "y": _rounded(y)}
    columns = [c.name for c in numeric]
    told = {"name": table.source, "columns": columns, "x": feature.name, "y": target.name, "notes": notes}
    return Frame({**told, "start": start, "sampled": many}, arrays)


def _count(n: int) -> str:
    return "no column" if not n else "one column" if n == 1 else f"{n} columns"


def _companion(numeric: list[Column], target: Column) -> Column:
    """The column that goes with the target best, by correlation over the rows both have."""
    best, most = numeric[0] if numeric[0] is not target else numeric[1], -1.0
    for column in numeric:
        both = np.isfinite(column.values) & np.isfinite(target.values)
        if column is target or both.sum() < 3:
            continue
        with np.errstate(all="ignore"):
            size = abs(float(np.corrcoef(column.values[both], target.values[both])[0, 1]))
        if size > most:
            best, most = column, size
    return best


def _most(x: NDArray[np.float64], y: NDArray[np.float64]) -> int:
    """Points of these that one question holds: their digits take room there."""
    longest = max(max(map(len, map(repr, _rounded(values).tolist()))) for values in (x, y))
    return min(MOST_POINTS, ROOM // (2 * (longest + 3)))  # a comma, and two zeros where JavaScript writes 0.0000012


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([float(f"{v:.{DIGITS}g}") for v in values])
