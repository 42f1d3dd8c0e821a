"""Data to fit: rows of features and a target, chosen from a table or made by one of the demonstrations."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.errors import DescendError
from descend.objectives.tables import Column, Table, read_table

__all__ = ["DEMOS", "Dataset", "Demo", "choose", "curve_demo", "dataset", "five_demo", "line_demo", "read_table"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """Rows to fit: X of shape (rows, features), y of shape (rows,), their names, and what happened on the way here."""

    X: Floats
    y: Floats
    features: tuple[str, ...]
    target: str
    source: str = "arrays"
    #: Rows before any was dropped.
    rows_read: int = 0
    #: What was left out and why, a sentence each.
    notes: tuple[str, ...] = ()
    #: What was made of these rows and may be used again: objectives, by model and units, with their compiled code.
    kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def rows(self) -> int:
        """Rows that are fitted."""
        return len(self.y)


# -- from tables and arrays -----------------------------------------------------------------------------------------------


def dataset(
    data: Any, y: Any = None, *, target: str | None = None, features: Sequence[str] | None = None, decimal: str | None = None
) -> Dataset:
    """A Dataset from whatever holds one.

    `data` is a path (or `-`), a `Table`, a `Dataset`, a mapping of columns or a data frame, with the target's name in
    `target`; or an array of shape (rows, features) or (rows,), with the target values in `y`, of shape (rows,).

    >>> dataset({"x": [1, 2, 3], "y": [2, 4, 6]}, target="y").X.shape
    (3, 1)
    """
    if isinstance(y, str):
        target, y = y, None
    if isinstance(data, Dataset):
        return data
    if isinstance(data, str | os.PathLike) or hasattr(data, "read"):
        table = read_table(data, decimal=decimal)
        if target is None:
            raise DescendError(f"say which column of {table.source} is the target: {', '.join(table.names)}")
        return choose(table, target, features)
    if y is None and isinstance(data, Mapping):
        data = table_of(data)
    elif y is None and hasattr(data, "columns") and hasattr(data, "__getitem__") and not isinstance(data, Table):
        data = table_of({str(name): data[name] for name in data.columns})
    if isinstance(data, Table):
        if target is None:
            raise DescendError(f"say which column is the target: {', '.join(data.names)}")
        return choose(data, target, features)
    if y is None:
        raise DescendError("give the target values y beside X, or a table and the name of its target column")
    return _from_arrays(data, y, features, target)


def table_of(columns: Mapping[str, Any]) -> Table:
    """A table from named columns; cells that are no numbers are counted as words, None and NaN as missing."""
    made = []
    for name, cells in columns.items():
        values, words, sample, line = [], 0, "", 0
        for i, cell in enumerate(np.asarray(cells, dtype=object).ravel()):
            try:
                values.append(np.nan if cell is None else float(cell))
            except (TypeError, ValueError):
                values.append(np.nan)
                sample, line = (sample, line) if words else (str(cell)[:40], i + 1)
                words += 1
        array = np.array(values, dtype=np.float64)
        made.append(Column(str(name), array, int(np.isnan(array).sum()) - words, words, sample, line))
    if not made or len({len(c.values) for c in made}) > 1:
        raise DescendError("columns of one length are needed; got " + ", ".join(f"{c.name} of {len(c.values)}" for c in made))
    return Table("the data", tuple(made))


def choose(table: Table, target: str, features: Sequence[str] | None = None) -> Dataset:
    """The target and the features of a table, rows with a missing or infinite cell among them dropped and counted.

    Without `features` every other column that holds numbers is one; columns of words, empty and constant ones are left out,
    and `notes` says so. A column of numbers with a word among them is an error that names the cell.
    """
    wanted = table.column(target, "target")
    _need_numbers(table, wanted, "target", "")
    notes: list[str] = list(table.notes)
    if features is None:
        chosen = [c for c in table.columns if c is not wanted and _usable(table, c, wanted, notes)]
    else:
        chosen = [table.column(name, "feature") for name in features]
        for column in chosen:
            if column is wanted:
                raise DescendError(f"{column.name!r} is both the target and a feature; it can be one of them")
            if chosen.count(column) > 1:
                raise DescendError(f"the feature {column.name!r} is given twice")
            _need_numbers(table, column, "feature", "leave it out of the features")
    if not chosen:
        why = f": {'; '.join(notes)}" if notes else ""
        raise DescendError(f"{table.source} has no column left to predict {wanted.name!r} from{why}")
    return _kept_rows(table, wanted, chosen, notes, features is not None)


def _usable(table: Table, column: Column, target: Column, notes: list[str]) -> bool:
    if column.words and column.words >= column.numbers:
        notes.append(f"column {column.name!r} is left out: it holds words, such as {column.sample!r}")
        return False
    if column.words:
        others = [c.name for c in table.columns if c is not column and c is not target and not c.words]
        instead = f", or choose features without it: --features {','.join(others)}" if others else ""
        _refuse_words(table, column, f"correct it{instead}")
    if column.missing == len(column.values):
        notes.append(f"column {column.name!r} is left out: it is empty")
        return False
    if _is_constant(column.values) and column.numbers > 1:
        notes.append(f"column {column.name!r} is left out: it is {_constant(column.values):g} in every row")
        return False
    return True


def _need_numbers(table: Table, column: Column, role: str, instead: str) -> None:
    if column.words:
        _refuse_words(table, column, f"the {role} must hold numbers" + (f": correct it or {instead}" if instead else ""))
    if column.missing == len(column.values):
        raise DescendError(f"the {role} {column.name!r} of {table.source} is empty: all {table.rows:,} cells are missing")


def _refuse_words(table: Table, column: Column, advice: str) -> None:
    raise DescendError(
        f"column {column.name!r} of {table.source} is not numeric: line {column.line} has {column.sample!r}; {advice}"
    )


def _is_constant(values: Floats) -> bool:
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() == finite.max())


def _constant(values: Floats) -> float:
    return float(values[np.isfinite(values)][0])


def _kept_rows(table: Table, target: Column, chosen: list[Column], notes: list[str], stated: bool) -> Dataset:
    used = [*chosen, target]
    missing, infinite = np.zeros(table.rows, dtype=bool), np.zeros(table.rows, dtype=bool)
    for column in used:
        missing |= np.isnan(column.values)
        infinite |= np.isinf(column.values)
    infinite &= ~missing
    kept = ~(missing | infinite)
    for mask, what in ((missing, "a missing cell"), (infinite, "a value that is not finite")):
        if count := int(mask.sum()):
            where = [c.name for c in used if (np.isnan if mask is missing else np.isinf)(c.values).any()]
            named = ", ".join(where[:5]) + (" …" if len(where) > 5 else "")
            rows = "1 row was" if count == 1 else f"{count:,} rows were"
            notes.append(f"{rows} dropped for {what} (in {named})")
    if not kept.any():
        raise DescendError(f"no row of {table.source} is complete in {', '.join(c.name for c in used[:8])}: {'; '.join(notes)}")
    X = np.column_stack([c.values[kept] for c in chosen])
    names = tuple(c.name for c in chosen)
    if not stated and len(names) > 1:  # dropping rows may have made a column constant
        varies = np.array([not _is_constant(X[:, i]) for i in range(len(names))])
        if len(X) > 1 and varies.any() and not varies.all():
            notes += [
                f"column {n!r} is left out: it is constant in the rows kept"
                for n, v in zip(names, varies, strict=True)
                if not v
            ]
            X, names = X[:, varies], tuple(n for n, v in zip(names, varies, strict=True) if v)
    found = Dataset(X, target.values[kept], names, target.name, table.source, table.rows, tuple(notes))
    return checked(found)


def _from_arrays(X: ArrayLike, y: ArrayLike, features: Sequence[str] | None, target: str | None) -> Dataset:
    try:
        matrix, values = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DescendError(f"X and y must be numbers: {error}") from None
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if matrix.ndim != 2 or values.ndim != 1 or len(matrix) != len(values) or not matrix.shape[1]:
        raise DescendError(
            f"X has shape (rows, features) and y (rows,) with equally many rows; got {np.shape(X)} and {np.shape(y)}"
        )
    count = matrix.shape[1]
    names = tuple(features) if features is not None else ("x",) if count == 1 else tuple(f"x{i + 1}" for i in range(count))
    if len(names) != count:
        raise DescendError(f"{len(names)} names were given for {count} features")
    for where, name in ((~np.isfinite(matrix).all(axis=1), "X"), (~np.isfinite(values), "y")):
        if where.any():
            raise DescendError(f"{name} must be finite; row {int(np.argmax(where))} is not")
    return checked(Dataset(matrix, values, names, target or "y", "arrays", len(values)))


def checked(data: Dataset) -> Dataset:
    """The data, if a line can be fitted to it: two rows at least, a target and features that vary."""
    if data.rows < 2:
        dropped = f" after dropping: {'; '.join(data.notes)}" if data.rows_read > data.rows else ""
        count = "1 row" if data.rows == 1 else "no rows"
        raise DescendError(f"{data.source} has {count} of numbers{dropped}; a fit needs at least 2")
    if _is_constant(data.y):
        raise DescendError(f"the target {data.target!r} is {data.y[0]:g} in every row: there is nothing to fit")
    for name, values in zip(data.features, data.X.T, strict=True):
        if _is_constant(values):
            raise DescendError(
                f"the feature {name!r} is {values[0]:g} in every row: it cannot be told from the intercept; leave it out"
            )
    return data


# -- demonstrations -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Demo:
    """Data to try a fit on, with the settings it is shown with."""

    name: str
    title: str
    make: Callable[[], Dataset]
    lr: float
    steps: int
    #: Rows of the table it prints: every so many steps.
    every: int


def line_demo() -> Dataset:
    """100 points on y = 2x + 3 with noise: all x first, uniform in (−5, 5), then the noise, normal with deviation 0.3, from
    Python's `random.seed(0)`.

    >>> line_demo().X[0], line_demo().y[0].round(6)
    (array([3.44421852]), np.float64(9.492222))
    """
    x, noise = _draws()
    return Dataset(
        x[:, None], np.array([2 * a + 3 + e for a, e in zip(x, noise, strict=True)]), ("x",), "y", "demo line", len(x)
    )


def curve_demo() -> Dataset:
    """The same x and noise on y = 2x² + 3: what a line makes of a parabola."""
    x, noise = _draws()
    return Dataset(
        x[:, None], np.array([2 * a * a + 3 + e for a, e in zip(x, noise, strict=True)]), ("x",), "y", "demo curve", len(x)
    )


def five_demo() -> Dataset:
    """(1, 2), (2, 4), … (5, 10): five points exactly on y = 2x."""
    x = np.arange(1.0, 6.0)
    return Dataset(x[:, None], 2 * x, ("x",), "y", "demo five", len(x))


def _draws() -> tuple[Floats, Floats]:
    source = random.Random(0)
    x = [source.uniform(-5, 5) for _ in range(100)]
    return np.array(x), np.array([source.gauss(0, 0.3) for _ in x])


DEMOS: dict[str, Demo] = {
    demo.name: demo
    for demo in (
        Demo("line", "100 points on y = 2x + 3 with noise 0.3", line_demo, 0.01, 200, 40),
        Demo("curve", "100 points on y = 2x² + 3 with noise 0.3: no line fits", curve_demo, 0.01, 1000, 200),
        Demo("five", "five points on y = 2x", five_demo, 0.01, 2000, 400),
    )
}


def demo_named(name: str) -> Demo:
    """The demonstration of that name, or a `DescendError` listing those there are."""
    if name not in DEMOS:
        raise DescendError(f"there is no demo {name!r}; there are {', '.join(DEMOS)}")
    return DEMOS[name]
