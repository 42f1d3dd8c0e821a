"""Reading tables of numbers from text: CSV, TSV and their relatives, plain or gzipped, from a file or standard input.

What a file leaves unsaid is found out from its first lines: delimiter, header, decimal sign. Blocks of plain numbers are read
by NumPy, at about two million rows a second; only blocks with quotes, words or missing cells are looked at cell by cell.
A table is read whole or not at all.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import gzip
import io
import math
import os
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.objectives.textfiles import LONGEST, blocks, opened, shown

__all__ = ["Column", "Table", "read_table"]

Floats = NDArray[np.float64]

#: Numbers a table may hold: 400 MB of them.
MOST_CELLS = 50_000_000
#: Lines from which the layout is found out.
SAMPLE = 100
#: What an absent value is written as, in lower case.
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "?", "."})
DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", " ": "space"}
_ABSENT = MISSING | {word.upper() for word in MISSING} | {"NaN", "None", "Null"}
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(,\d{3})+\s*")


@dataclass(frozen=True)
class Column:
    """One column: its numbers, NaN where a cell is missing or no number, and how many of those there are."""

    name: str
    values: Floats
    missing: int = 0
    #: Cells that are words, and the first of them with its line in the file.
    words: int = 0
    sample: str = ""
    line: int = 0

    @property
    def numbers(self) -> int:
        """How many cells hold a number."""
        return len(self.values) - self.missing - self.words


@dataclass(frozen=True)
class Table:
    """Columns of one length, and where they came from."""

    source: str
    columns: tuple[Column, ...]
    delimiter: str = ","
    header: bool = True
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def rows(self) -> int:
        """Rows of data, the header not counted."""
        return len(self.columns[0].values)

    def column(self, name: str, option: str = "column") -> Column:
        """The column of that name, or of that number counted from 1 where no name is so; `option` is what asks for it."""
        found = [column for column in self.columns if column.name == name]
        if found:
            return found[0]
        if name.isdecimal() and 1 <= int(name) <= len(self.columns):
            return self.columns[int(name) - 1]
        folded = {other.casefold(): other for other in self.names}
        close = difflib.get_close_matches(name.casefold(), folded, n=1)
        hint = f"; did you mean {folded[close[0]]!r}?" if close else ""
        why = "" if self.header else " (it has no header, so that they are numbered)"
        listed = ", ".join(self.names[:12]) + (f" and {len(self.names) - 12} more" if len(self.names) > 12 else "")
        raise DescendError(f"{self.source} has no column {name!r} for the {option}: its columns are {listed}{why}{hint}")


def read_table(
    source: str | os.PathLike[str] | IO[bytes], *, delimiter: str | None = None, decimal: str | None = None
) -> Table:
    """Read a table from a path, from `-` (standard input) or from an open binary file; gzip is unpacked.

    Parameters
    ----------
    source
        Text of one row a line. UTF-8 (with or without a byte order mark), UTF-16 with one, or Latin.
    delimiter
        Tab, semicolon, bar, comma or space; found out when not given. Cells may be quoted.
    decimal
        `.` or `,`; a decimal comma is found out where it cannot be anything else.

    Returns
    -------
    Table
        Every column as float64 of shape (rows,), NaN where a cell is missing or a word; the counts of both are kept.

    Raises
    ------
    DescendError
        For what is no table: no such file, empty, binary, rows of different lengths (the line is named), a name twice.

    Examples
    --------
    >>> table = read_table(io.BytesIO(b"x;y\\n1,5;2\\n2,5;NA\\n"))
    >>> table.names, table.columns[0].values, table.columns[1].missing
    (('x', 'y'), array([1.5, 2.5]), 1)
    """
    if decimal not in (None, ".", ","):
        raise DescendError(f"the decimal sign is '.' or ','; got {decimal!r}")
    if delimiter is not None and delimiter not in DELIMITERS:
        raise DescendError(f"a delimiter is one of {', '.join(DELIMITERS.values())}; got {delimiter!r}")
    with contextlib.ExitStack() as stack:
        name, text = opened(source, stack)
        try:
            return _read(name, text, delimiter, decimal)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise DescendError(f"{name} is a damaged or cut off gzip file; nothing was read") from None
        except UnicodeError:
            raise DescendError(f"{name} is not readable as text; save it as UTF-8") from None
        except OSError as error:
            raise DescendError(f"could not read {name}: {error.strerror or error}") from None


# -- the layout -----------------------------------------------------------------------------------------------------------


class Layout(NamedTuple):
    """How the file is written, found out from its first lines."""

    delimiter: str
    decimal: str
    names: tuple[str, ...]
    header: bool
    #: Lines before the first row of data.
    skip: int
    notes: tuple[str, ...] = ()


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    if delimiter == " ":
        lines = [line.strip() + "\n" for line in lines]
    return [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if any(c.strip() for c in row)]


def _find_layout(name: str, block: str, delimiter: str | None, decimal: str | None) -> Layout:
    lines = block.split("\n", SAMPLE + 1)[: SAMPLE + 1]
    lines = [line + "\n" for line in lines if len(line) < LONGEST]
    while sum(line.count('"') for line in lines) % 2 and len(lines) > 1:  # the sample ends inside a quoted cell
        lines.pop()
    comments = 0
    while comments < len(lines) and (lines[comments].startswith("#") or not lines[comments].strip()):
        comments += 1
    body = lines[comments:]
    if not any(line.strip() for line in body):
        raise DescendError(f"{name} holds no table: it needs a header and rows of numbers")
    try:
        return _layout_of(name, lines[:comments], body, delimiter or _find_delimiter(body), decimal)
    except csv.Error as error:
        raise DescendError(f"{name} is not a table of cells: {error}") from None


def _layout_of(name: str, comments: list[str], body: list[str], delimiter: str, decimal: str | None) -> Layout:
    rows = _rows(body, delimiter)
    sign, note = _find_decimal(name, rows, decimal)
    header = _has_header(rows, sign)
    skip = len(comments)
    first = rows[0]
    width = Counter(map(len, rows[1:] if header else rows)).most_common(1)[0][0] if len(rows) > header else len(first)
    if not header:
        said = [comment for comment in comments if comment.startswith("#")][-1:]
        above = _rows([said[0].lstrip("#")], delimiter) if said else []
        if above and len(above[0]) == width:  # numpy.savetxt writes its header as a comment
            return Layout(delimiter, sign, _names(name, above[0], width, rows), True, skip, note)
        numbered = tuple(f"column{i + 1}" for i in range(width))
        return Layout(delimiter, sign, numbered, False, skip, ("there is no header: columns are numbered", *note))
    reader = csv.reader(iter(body), delimiter=delimiter)
    for row in reader:
        if any(cell.strip() for cell in row):
            break
    return Layout(delimiter, sign, _names(name, first, width, rows[1:]), True, skip + reader.line_num, note)


def _names(source: str, header: list[str], width: int, rows: list[list[str]]) -> tuple[str, ...]:
    names = [shown(cell) for cell in header]
    if width == len(names) + 1 and len(rows):
        trailing = all(not row[-1].strip() for row in rows if len(row) == width)
        names = [*names, ""] if trailing else ["", *names]  # a delimiter at each line's end, or names of rows as R writes them
    named = tuple(text or f"column{i + 1}" for i, text in enumerate(names))
    for text, count in Counter(named).items():
        if count > 1:
            places = [str(i + 1) for i, other in enumerate(named) if other == text]
            raise DescendError(f"{source} names {text!r} {count} times in its header (columns {', '.join(places)}); rename one")
    return named


def _find_delimiter(lines: list[str]) -> str:
    """The delimiter that cuts all lines into equally many cells, two at least; else the one that does so for most."""
    best, most = ",", 0.0
    for candidate in DELIMITERS:
        try:
            widths = [len(row) for row in _rows(lines, candidate)]
        except csv.Error:
            continue
        usual, times = Counter(widths[1:] or widths).most_common(1)[0]
        if usual < 2 or (candidate == " " and times < len(widths) - 1):
            continue
        even = times / len(widths[1:] or widths) + (widths[0] == usual)
        if even > most + 1e-9:
            best, most = candidate, even
    return best


def _find_decimal(name: str, rows: list[list[str]], decimal: str | None) -> tuple[str, tuple[str, ...]]:
    if decimal is not None:
        return decimal, ()
    cells = [cell for row in rows for cell in row if "," in cell]
    commas = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell) or _THOUSANDS.fullmatch(cell)]
    if not commas:
        return ".", ()
    points = any("." in cell and _number(cell) is not None for row in rows for cell in row)
    if points:
        return ".", ()
    if all(_THOUSANDS.fullmatch(cell) for cell in commas):
        raise DescendError(
            f"{name} has cells such as {shown(commas[0])!r}, which may mean a fraction or thousands; "
            "say which by the decimal sign: ',' for a fraction, '.' for thousands"
        )
    return ",", ("numbers are written with a decimal comma",)


def _has_header(rows: list[list[str]], decimal: str) -> bool:
    first, others = rows[0], rows[1:]
    numeric = [_is_number(cell, decimal) for cell in first]
    if not any(cell.strip().lower() not in MISSING and not number for cell, number in zip(first, numeric, strict=True)):
        return False
    if not any(numeric):
        return True
    columns = [i for i, number in enumerate(numeric) if not number and first[i].strip()]
    below = [row[i] for i in columns for row in others if i < len(row) and row[i].strip().lower() not in MISSING]
    return bool(below) and sum(_is_number(cell, decimal) for cell in below) > 0.5 * len(below)


# -- cells to numbers -----------------------------------------------------------------------------------------------------


def _number(cell: str) -> float | None:
    try:
        return float(cell) if "_" not in cell else None
    except ValueError:
        return None


def _value(cell: str, decimal: str) -> float | None:
    """The cell's number, NaN where it is missing, None where it is a word."""
    return math.nan if cell.strip().lower() in MISSING else _number(_pointed(cell, decimal))


def _is_number(cell: str, decimal: str) -> bool:
    value = _value(cell, decimal)
    return value is not None and not math.isnan(value)


def _pointed(cell: str, decimal: str) -> str:
    """The cell with a decimal point. Beside a decimal comma a point is no number; beside a point, commas in threes may be."""
    if decimal == ",":
        return cell.replace(",", ".") if "." not in cell else "x"
    return cell.replace(",", "") if "," in cell and _THOUSANDS.fullmatch(cell.partition(".")[0]) else cell


class _Filling:
    """A column while it is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parts: list[Floats] = []
        self.words = self.missing = self.line = 0
        self.sample = ""

    def add_cells(self, cells: Sequence[str], lines: Sequence[int], decimal: str, odd: bool) -> None:
        """Add cells; `odd` says that they may be written in ways that Python's float reads otherwise."""
        if not odd:
            with contextlib.suppress(ValueError):
                self.add(np.array([math.nan if c in _ABSENT else float(c) for c in cells]))
                return
        read = {cell: _value(cell, decimal) for cell in set(cells)}
        words = [cell for cell, value in read.items() if value is None]
        if words:
            at = [i for i, cell in enumerate(cells) if read[cell] is None]
            if not self.words:
                self.sample, self.line = shown(cells[at[0]]), lines[at[0]]
            self.words += len(at)
            self.missing -= len(at)
            read |= dict.fromkeys(words, math.nan)
        self.add(np.array([read[cell] for cell in cells], dtype=np.float64))

    def add(self, values: Floats) -> None:
        self.parts.append(values)
        self.missing += int(np.count_nonzero(np.isnan(values)))

    def column(self) -> Column:
        values = np.concatenate(self.parts) if self.parts else np.zeros(0)
        return Column(self.name, values, self.missing, self.words, self.sample, self.line)


def _read(name: str, text: io.TextIOBase, delimiter: str | None, decimal: str | None) -> Table:
    pieces = blocks(name, text)
    block = next(pieces, "")
    layout = _find_layout(name, block, delimiter, decimal)
    columns = [_Filling(n) for n in layout.names]
    if layout.skip:
        block = block.split("\n", layout.skip)[-1] if block.count("\n") >= layout.skip else ""
    line, cells = layout.skip + 1, 0
    while True:
        cells += _add_block(name, block, layout, columns, line)
        if cells > MOST_CELLS:
            raise DescendError(f"{name} has more than {MOST_CELLS:,} numbers, too many for one fit in memory; take a sample")
        line += block.count("\n")
        found = next(pieces, None)
        if found is None:
            break
        block = found
    done = [filling.column() for filling in columns]
    kept = tuple(c for c in done if c.missing < len(c.values) or not re.fullmatch(r"column\d+", c.name))
    if not cells or not kept:
        raise DescendError(f"{name} has a header but no rows of numbers below it")
    return Table(name, kept, layout.delimiter, layout.header, layout.notes)


def _add_block(name: str, block: str, layout: Layout, columns: list[_Filling], line: int) -> int:
    """Add a block of lines to the columns; how many cells it had."""
    if not block or block.isspace():
        return 0
    values = _plain_numbers(block, layout)
    if values is not None:
        for column, numbers in zip(columns, values.T, strict=True):
            column.add(numbers)
        return values.size
    rows, places = [], []
    lines: Any = io.StringIO(block)
    if layout.delimiter == " ":
        lines = (text.strip() + "\n" for text in lines)
    reader = csv.reader(lines, delimiter=layout.delimiter, skipinitialspace=True)
    try:
        for row in reader:
            if len(row) == len(columns) and (len(row) > 1 or row[0].strip()):
                rows.append(row)
                places.append(line + reader.line_num - 1)
            elif any(cell.strip() for cell in row):
                raise DescendError(
                    f"line {line + reader.line_num - 1} of {name} has {_cells(len(row))} where {len(columns)} are expected "
                    f"(separated by {DELIMITERS[layout.delimiter]}s)"
                )
    except csv.Error:
        raise DescendError(f"{name} has a quoted cell that is never closed, near line {line + reader.line_num}") from None
    odd = layout.decimal == "," or "_" in block or '"' in block
    for column, cells in zip(columns, zip(*rows, strict=True), strict=False):
        column.add_cells(cells, places, layout.decimal, odd)
    return len(rows) * len(columns)


def _plain_numbers(block: str, layout: Layout) -> Floats | None:
    """The block as numbers, shape (rows, columns), or None where it must be looked at cell by cell."""
    if '"' in block:
        return None
    if layout.decimal == ",":
        if "." in block or layout.delimiter == ",":
            return None
        block = block.replace(",", ".")
    try:
        found = np.loadtxt(
            io.StringIO(block), delimiter=None if layout.delimiter == " " else layout.delimiter, ndmin=2, comments=None
        )
    except ValueError:
        return None
    return found if found.shape[1] == len(layout.names) else None


def _cells(n: int) -> str:
    return f"{n} cell" if n == 1 else f"{n} cells"
