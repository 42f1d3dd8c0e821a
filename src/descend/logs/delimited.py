"""CSV, TSV and other delimited tables: plain ones, Lightning's, Keras', Ray's, W&B's chart export, TensorBoard's export."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.logs.collect import Cells, Raw, Table
from descend.logs.roles import axis_rank, guess
from descend.logs.stream import Utf8

__all__ = ["Delimited", "sniff"]

#: Cells that say "not recorded". "nan" is not among them: NaN is data.
MISSING = {"", "na", "n/a", "null", "none", "-", "--", "<na>", "missing"}
MAX_RUNS = 1000
#: Values and "is empty", each of shape (rows, columns).
Block = tuple[NDArray[np.float64], NDArray[np.bool_]]
_NUMBERISH = b"0123456789+-.eE,\n naifNAIFty"
_RUN_NAMES = ("run", "run_id", "run_name", "run_uuid", "experiment", "trial_id", "custom_run_id")
_METRIC_NAMES = ("metric", "tag", "key", "name", "attribute_path", "variable")
_CHART = re.compile(r"^(?P<run>.+) - (?P<metric>.+?)(?P<end>__MIN|__MAX)?$")
_CHART_AXES = (
    "step",
    "_step",
    "epoch",
    "relative time (process)",
    "relative time (wall)",
    "wall time",
    "_runtime",
    "_timestamp",
)


def sniff(lines: Sequence[str]) -> tuple[str, list[str], bool] | None:
    """Delimiter, header and whether there is one, from the first two or more lines; None when it is no table.

    >>> sniff(["step,loss", "0,2.3"]), sniff(["0 2.3", "1 2.1"])[1:]
    ((',', ['step', 'loss'], True), (['step', 'loss'], False))
    """
    if not lines:
        return None
    for delimiter in (",", "\t", ";", "|", " "):
        first = _cells(lines[0], delimiter)
        second = _cells(lines[1], delimiter) if len(lines) > 1 else None
        if len(first) < 2 and not (delimiter == "," and _one_column(first, second)):
            continue
        if second is not None and len(second) != len(first):
            continue
        if _all_numbers(first):
            return (delimiter, _invented(first, second), False) if second is None or _all_numbers(second) else None
        if _is_header(first, second, delimiter):
            return delimiter, [name or f"column {i + 1}" for i, name in enumerate(first)], True
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    try:
        row = next(csv.reader([line.replace("\r", " ")], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:  # a cell beyond all size
        return []
    return [cell.strip() for cell in row]


def _one_column(first: Sequence[str], second: Sequence[str] | None) -> bool:
    """Whether lines of one cell each are a table: bare numbers, or a known name above them."""
    if second is None:
        return _all_numbers(first)
    return _all_numbers(second) and (_all_numbers(first) or bool(first and guess(first[0])))


def _all_numbers(cells: Sequence[str]) -> bool:
    return bool(cells) and all(_is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_header(first: Sequence[str], second: Sequence[str] | None, delimiter: str) -> bool:
    """Names that are no numbers above a row that has some; alone, at least one name must be a known one."""
    if any(_is_number(cell) for cell in first if cell) or sum(bool(cell) for cell in first) < 1:
        return False
    recognised = any(guess(cell) or axis_rank(cell) is not None for cell in first)
    if second is None:
        return recognised and delimiter != " "
    numbers = sum(_is_number(cell.replace(",", ".") if delimiter == ";" else cell) for cell in second)
    if delimiter in " |":
        return recognised and numbers == len([c for c in second if c])
    empty = all(cell.lower() in MISSING for cell in second)
    return numbers > 0 or (empty and recognised)


def _invented(first: Sequence[str], second: Sequence[str] | None) -> list[str]:
    """Names for a table without a header: the loss alone, or a counter and the loss."""
    if len(first) == 1:
        return ["loss"]
    counter = all(float(row[0]).is_integer() for row in (first, second) if row and abs(float(row[0])) < 1e15)
    rising = second is None or float(second[0]) > float(first[0])
    names = ["step", "loss"] if counter and rising else ["loss"]
    return names + [f"column {i + 1}" for i in range(len(names), len(first))]


class Delimited:
    """Reads a delimited table block by block."""

    def __init__(self, name: str, source: str) -> None:
        self._name, self._source = name, source
        self._text = Utf8()
        self._rest = b""
        self._head: list[str] = []
        self._header: list[str] = []
        self._delimiter = ","
        self._tables: dict[str, Table] = {}
        self._format = "csv"
        self._by: tuple[int, int, int] | None = None  # columns of the run, the metric's name and its value (-1: none)
        self._bad = 0
        self._last = b""
        self._notes: list[str] = []

    def feed(self, data: bytes) -> None:
        """Append a piece of the file."""
        text = self._rest + self._text(data)
        cut = text.rfind(b"\n") + 1
        self._rest = text[cut:]
        if cut:
            self._lines(text[:cut])

    def finish(self) -> None:
        """The file has ended: read an unfinished last line unless it looks cut off."""
        line, self._rest = self._rest + self._text.finish(), b""
        if not line.strip():
            self._start(final=True)
            return
        if self._header and _is_cut(line, self._last, self._delimiter.encode()):
            self._notes.append("its last line is cut off and was left out")
            return
        self._lines(line + b"\n")
        self._start(final=True)

    def runs(self) -> list[Raw]:
        """The runs so far."""
        found = [table.result() for table in self._tables.values()]
        for raw in found:
            for sentence in self._notes:
                raw.note(sentence)
            if self._bad:
                raw.note(f"{self._bad} rows have more or fewer cells than the header and were left out")
        return found

    def _lines(self, text: bytes) -> None:
        if not self._header:
            kept = text.split(b"\n", 200)
            rest = kept.pop() if len(kept) > 200 else b""
            self._head += [line.decode("utf-8", "replace").rstrip("\r") for line in kept if line.strip() and line[:1] != b"#"]
            if len(self._head) < 2:
                return
            self._start(final=False)
            text = rest
        if text:
            self._block(text)

    def _start(self, final: bool) -> None:
        """Find the header, then read the lines that were waiting for it."""
        if self._header or (len(self._head) < 2 and not final):
            return
        found = sniff(self._head[:2])
        if found is None:
            raise DescendError(f"{self._source!r} is not a table with a header of column names and rows of numbers")
        self._delimiter, self._header, named = found
        self._flavour()
        if not named:
            self._notes.append(f"it has no header; its columns are read as {', '.join(self._header)}")
        waiting, self._head = self._head[1 if named else 0 :], []
        if waiting:
            self._block("\n".join([*waiting, ""]).encode())

    def _flavour(self) -> None:
        """Whose table it is, told by its header."""
        lower = [name.lower() for name in self._header]
        matches = [_CHART.match(name) for name in self._header[1:]]
        runs = [i for i, name in enumerate(lower) if name in _RUN_NAMES]
        metrics = [i for i, name in enumerate(lower) if name in _METRIC_NAMES]
        values = [i for i, name in enumerate(lower) if name in ("value", "float_value", "metric_value")]
        if lower == ["wall time", "step", "value"]:
            self._format = "tensorboard csv"
            tag = re.sub(r"^run-.*?-tag-", "", re.sub(r"(\.csv)?(\.gz)?$", "", self._name)).replace("_", "/")
            self._header[2] = tag
        elif matches and all(matches) and (lower[0] in _CHART_AXES or any(m and m["end"] for m in matches)):
            self._format = "w&b chart"
        elif "training_iteration" in lower and "trial_id" in lower:
            self._format = "ray"
        elif "epoch" in lower and "step" in lower and "metrics.csv" in self._source:
            self._format = "lightning"
        elif lower[0] == "epoch" and not any(axis_rank(name) is not None for name in lower) and "loss" in lower:
            self._format = "keras"
        if self._format == "csv" and (runs or (metrics and values)):
            pivot = (metrics[0], values[0]) if metrics and values else (-1, -1)
            self._by = (runs[0] if runs else -1, *pivot)

    # -- blocks -------------------------------------------------------------------------------------------------------

    def _block(self, text: bytes) -> None:
        self._last = text[text.rfind(b"\n", 0, len(text) - 1) + 1 :]
        parsed = None if self._by or self._delimiter == " " else self._fast(text)
        if parsed is not None:
            self._store(parsed)
        elif self._by:
            self._grouped(list(self._rows(text)))
        else:
            self._store(_columns(list(self._rows(text)), len(self._header)))

    def _fast(self, text: bytes) -> Block | None:
        """A block of nothing but numbers and empty cells, parsed in one piece; None when it is not that regular."""
        plain = text.replace(b"\r", b"").replace(b'"', b"")
        if self._delimiter != ",":
            plain = plain.replace(b",", b".") if self._delimiter == ";" else plain
            plain = plain.replace(self._delimiter.encode(), b",")
        if plain.translate(None, _NUMBERISH):
            return None
        codes = np.frombuffer(plain, np.uint8)
        places = np.flatnonzero((codes == 44) | (codes == 10))
        ends, empty = codes[places] == 10, np.diff(places, prepend=-1) == 1
        width = len(self._header)
        if len(ends) % width or not bool(ends[width - 1 :: width].all()) or int(ends.sum()) * width != len(ends):
            return None
        if empty.any():
            plain = (b"\n" + plain).replace(b",,", b",0,").replace(b",,", b",0,")
            plain = plain.replace(b",\n", b",0\n").replace(b"\n,", b"\n0,")[1:]
        try:
            values = np.fromstring(plain.replace(b"\n", b",").decode("ascii"), sep=",")
        except (ValueError, DeprecationWarning):
            return None
        return (values.reshape(-1, width), empty.reshape(-1, width)) if len(values) == len(ends) else None

    def _rows(self, text: bytes) -> Iterator[list[str]]:
        """Rows of a block, cell by cell; rows of the wrong width are counted and left out."""
        lines = text.decode("utf-8", "replace").replace("\x00", "").replace("\r", " ").split("\n")
        wanted = (line for line in lines if line.strip() and not line.startswith("#"))
        width = len(self._header)
        source: Iterator[list[str]] = (
            (line.split() for line in wanted)
            if self._delimiter == " "
            else csv.reader(wanted, delimiter=self._delimiter, skipinitialspace=True)
        )
        while True:
            try:
                row = next(source)
            except StopIteration:
                return
            except csv.Error:
                self._bad += 1
                continue
            if len(row) == width:
                yield [cell.strip() for cell in row]
            elif row != self._header:
                self._bad += 1

    def _store(self, block: Block) -> None:
        """Hand a block of rows to the run, or to each run of a W&B chart."""
        values, empty = block
        cells: dict[str, Cells] = {}
        for i, name in enumerate(self._header):
            kept = np.flatnonzero(~empty[:, i])
            cells[name if name not in cells else f"{name} ({i + 1})"] = (kept, values[kept, i])
        if self._format == "w&b chart":
            self._store_chart(len(values), cells)
            return
        if self._format == "tensorboard csv":
            cells = {name: c for name, c in cells.items() if name.lower() != "wall time"}
        table = self._table(self._name)
        table.add(len(values), cells)
        if self._format == "tensorboard csv" and table.rows >= 1000:
            table.raw.lose("sampled", "TensorBoard's page exports at most 1000 points a curve: it may be sampled")

    def _store_chart(self, rows: int, cells: dict[str, Cells]) -> None:
        axis = self._header[0]
        by_run: dict[str, dict[str, Cells]] = {}
        for name, column in cells.items():
            match = _CHART.match(name)
            if match and match["end"] is None:
                by_run.setdefault(match["run"], {})[match["metric"]] = column
        for run, columns in by_run.items():
            label = "step" if axis.lower() in ("step", "_step") else axis
            table = self._table(run)
            table.add(rows, {label: cells[axis], **columns})
            table.raw.lose("sampled", "a chart exported from W&B is sampled to at most 1500 points a curve")

    def _grouped(self, rows: list[list[str]]) -> None:
        """Long tables: one run per value of the run column, one quantity per value of the metric column."""
        run_at, metric_at, value_at = self._by or (-1, -1, -1)
        by_run: dict[str, list[list[str]]] = {}
        for row in rows:
            by_run.setdefault(row[run_at] if run_at >= 0 else self._name, []).append(row)
        for run, members in by_run.items():
            table = self._table(run)
            values, empty = _columns(members, len(self._header))
            index = np.arange(len(members))
            cells: dict[str, Cells] = {}
            for i, name in enumerate(self._header):
                if i not in (run_at, metric_at, value_at):
                    kept = np.flatnonzero(~empty[:, i])
                    cells[name] = (kept, values[kept, i])
            if metric_at >= 0:
                names = np.array([row[metric_at] for row in members])
                for metric in dict.fromkeys(names.tolist()):
                    kept = index[(names == metric) & ~empty[:, value_at]]
                    cells[metric] = (kept, values[kept, value_at])
            table.add(len(members), cells)

    def _table(self, run: str) -> Table:
        if run not in self._tables:
            if len(self._tables) >= MAX_RUNS:
                raise DescendError(f"{self._source!r} holds more than {MAX_RUNS} runs; split it, or choose one run")
            self._tables[run] = Table(Raw(run, self._source, self._format))
        return self._tables[run]


def _columns(rows: list[list[str]], width: int) -> Block:
    """Cells as numbers, and which are empty; what is no number counts as empty."""
    values, empty = np.zeros((len(rows), width)), np.ones((len(rows), width), bool)
    for i, cells in enumerate(zip(*rows, strict=False)):
        try:
            values[:, i] = cells
            empty[:, i] = False
        except ValueError:
            numbers = [_number(cell) for cell in cells]
            values[:, i] = [0.0 if v is None else v for v in numbers]
            empty[:, i] = [v is None for v in numbers]
    return values, empty


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        try:
            return float(cell.replace(",", ".")) if cell.count(",") == 1 else None
        except ValueError:
            return None


def _is_cut(line: bytes, before: bytes, delimiter: bytes) -> bool:
    """Whether a last line without line end was cut off while being written: too few cells, or a much shorter last cell."""
    split = None if delimiter == b" " else delimiter
    cells, full = line.split(split), before.strip(b"\r\n").split(split)
    if not before.strip():
        return False
    return len(cells) < len(full) or len(cells[-1].strip()) < 0.6 * len(full[-1].strip())
