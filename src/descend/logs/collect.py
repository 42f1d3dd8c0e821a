"""What readers fill: points of named quantities, run by run, and the step axis of logs written as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.logs.roles import axis_rank, guess

__all__ = ["Cells", "Points", "Raw", "Table", "merge"]

#: One quantity in a block of rows: the rows it was recorded in (counted from the block's first), and its values.
Cells = tuple[NDArray[np.int64], NDArray[np.float64]]

MAX_POINTS = 6_000_000  # of one run: 16 bytes each; beyond it runs are thinned, and say so
MAX_COLUMNS = 4096
_UNDECIDED_ROWS = 2000
_LARGEST_STEP = 2.0**53


class Points:
    """Steps and values of one quantity in the order they were written."""

    def __init__(self) -> None:
        self._steps: list[NDArray[np.int64]] = []
        self._values: list[NDArray[np.float64]] = []
        self.count = 0

    def add(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        if len(steps):
            self._steps.append(steps)
            self._values.append(values)
            self.count += len(steps)

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """All points as two arrays of shape (n,)."""
        if len(self._steps) != 1:
            self._steps = [np.concatenate(self._steps) if self._steps else np.empty(0, np.int64)]
            self._values = [np.concatenate(self._values) if self._values else np.empty(0)]
        return self._steps[0], self._values[0]

    def thin(self) -> None:
        """Keep the lowest and the highest of every four points: spikes stay, and NaN counts as both."""
        steps, values = self.arrays()
        whole = len(values) // 4 * 4
        quads = values[:whole].reshape(-1, 4)
        ends = np.sort(np.stack([quads.argmin(1), quads.argmax(1)], 1), 1) + 4 * np.arange(len(quads))[:, None]
        kept = np.unique(np.concatenate([ends.ravel(), np.arange(whole, len(values))]))
        self._steps, self._values, self.count = [steps[kept]], [values[kept]], len(kept)


@dataclass
class Raw:
    """One run as its reader found it, under the names of the source."""

    name: str
    source: str
    format: str
    series: dict[str, Points] = field(default_factory=dict)
    #: What the steps count: "step", "epoch" or "row" (there was no counter).
    axis: str = "step"
    axis_name: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    #: Codes of what the source lost: sampled, window_mean, running_mean, rounded, thinned, summary.
    lossy: list[str] = field(default_factory=list)
    #: A role for a name that no general rule would give it; `map` still wins.
    hints: dict[str, str] = field(default_factory=dict)
    thinned: int = 0

    def add(self, name: str, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Append points of one quantity."""
        points = self.series.get(name)
        if points is None:
            if len(self.series) >= MAX_COLUMNS:
                self.note(f"it has more than {MAX_COLUMNS} quantities; the rest are not read")
                return
            points = self.series[name] = Points()
        points.add(steps, values)
        if sum(p.count for p in self.series.values()) > MAX_POINTS:
            self._thin()

    def add_rows(self, name: str, pairs: Iterable[tuple[int, float]]) -> None:
        """Append (step, value) pairs of one quantity."""
        rows = list(pairs)
        self.add(name, np.array([s for s, _ in rows], np.int64), np.array([v for _, v in rows], np.float64))

    def note(self, sentence: str) -> None:
        """Remember a remark, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def lose(self, code: str, sentence: str) -> None:
        """Mark the source as lossy."""
        if code not in self.lossy:
            self.lossy.append(code)
        self.note(sentence)

    def _thin(self) -> None:
        self.thinned += 1
        for points in self.series.values():
            if points.count > 1000:
                points.thin()
        if "thinned" not in self.lossy:
            self.lose(
                "thinned", "it holds more points than are kept in memory: of every few the lowest and the highest are kept"
            )


def merge(parts: list[Raw]) -> Raw:
    """One run from several files written one after another (restarts, rotation)."""
    first = parts[0]
    whole = Raw(first.name, first.source, first.format, axis=first.axis, axis_name=first.axis_name)
    for part in parts:
        whole.config |= part.config
        whole.hyperparameters |= part.hyperparameters
        whole.hints |= part.hints
        for sentence in part.notes:
            whole.note(sentence)
        whole.lossy += [code for code in part.lossy if code not in whole.lossy]
        for name, points in part.series.items():
            whole.add(name, *points.arrays())
    return whole


class Table:
    """Rows with named cells, some empty, on their way to a run: finds the step axis and numbers every row with it.

    The axis is chosen from the first rows: a step counter, else whole epochs, else the rows themselves. Steps that start again
    with each epoch are counted on from epoch to epoch.
    """

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.rows = 0
        self._waiting: list[tuple[int, dict[str, Cells]]] = []
        self._waiting_rows = 0
        self._axis: _Axis | None = None

    def add(self, rows: int, cells: Mapping[str, Cells]) -> None:
        """Append a block of rows."""
        self.rows += rows
        if self._axis is not None:
            self._axis.place(self.raw, rows, cells)
            return
        self._waiting.append((rows, dict(cells)))
        self._waiting_rows += rows
        if self._waiting_rows >= _UNDECIDED_ROWS:
            self._axis = self._start(self.raw)
            self._waiting = []

    def result(self) -> Raw:
        """The run so far; more rows may follow."""
        if self._axis is not None:
            return self.raw
        copy = Raw(**{**vars(self.raw), "series": dict(self.raw.series), "notes": list(self.raw.notes)})
        self._start(copy)
        return copy

    def _start(self, raw: Raw) -> _Axis:
        axis = _Axis(*_choose_axis(self._waiting))
        raw.axis, raw.axis_name = axis.kind, axis.name
        for rows, cells in self._waiting:
            axis.place(raw, rows, cells)
        return axis


def _choose_axis(blocks: list[tuple[int, dict[str, Cells]]]) -> tuple[str, str, str, str]:
    """Kind and name of the axis, the epoch column, and the column whose rows are counted when there is no axis."""
    values: dict[str, NDArray[np.float64]] = {}
    for name in {name for _, cells in blocks for name in cells}:
        values[name] = np.concatenate([cells[name][1] for _, cells in blocks if name in cells])
    ranked = sorted((rank, name) for name in values if (rank := axis_rank(name)) is not None)
    epochs = sorted((g.rank, name) for name in values if (g := guess(name)) is not None and g.role == "epoch")
    epoch = epochs[0][1] if epochs else ""
    for _, name in ranked:
        if _counts(values[name]):
            return "step", name, epoch, ""
    if epoch and _counts(values[epoch]):
        return "epoch", epoch, epoch, ""
    losses = sorted((g.rank, name) for name in values if (g := guess(name)) is not None and g.role == "loss")
    many = [name for _, name in losses if len(values[name]) > 1]
    return "row", "", epoch, many[0] if many else ""


def _counts(values: NDArray[np.float64]) -> bool:
    """Whether values can count steps: whole numbers, not all the same."""
    finite = values[np.isfinite(values) & (np.abs(values) < _LARGEST_STEP)]
    whole = bool(len(finite)) and bool((finite == np.floor(finite)).all())
    return whole and (len(finite) == 1 or bool((finite != finite[0]).any()))


class _Axis:
    """Numbers rows with steps, block by block."""

    def __init__(self, kind: str, name: str, epoch: str, counted: str) -> None:
        self.kind, self.name, self.epoch, self.counted = kind, name, epoch, counted
        self._last_step = np.nan
        self._last_epoch = np.nan
        self._step_epoch = np.nan  # the epoch of the last row that has a step of its own
        self._offset = 0.0
        self._interval = 0.0
        self._offsets: dict[float, float] = {}
        self._count = 0

    def place(self, raw: Raw, rows: int, cells: Mapping[str, Cells]) -> None:
        """Give every cell of a block its step and hand it to the run."""
        steps = self._count_rows(rows, cells) if self.kind == "row" else self._read_steps(raw, rows, cells)
        for name, (index, values) in cells.items():
            if name != self.name or self.kind == "epoch":
                raw.add(name, steps[index], values)

    def _count_rows(self, rows: int, cells: Mapping[str, Cells]) -> NDArray[np.int64]:
        """Without a counter, count the rows that have a loss (or all): an evaluation belongs to the row before it."""
        marks = np.ones(rows, np.int64)
        if self.counted:
            marks[:] = 0
            if self.counted in cells:
                marks[cells[self.counted][0]] = 1
        counts = self._count + np.cumsum(marks)
        self._count = int(counts[-1]) if rows else self._count
        return np.maximum(counts - 1, 0)

    def _read_steps(self, raw: Raw, rows: int, cells: Mapping[str, Cells]) -> NDArray[np.int64]:
        steps = self._filled(rows, cells.get(self.name), self._last_step)
        if not rows:
            return steps.astype(np.int64)
        if self.kind == "step" and self.epoch:
            epochs = np.floor(self._filled(rows, cells.get(self.epoch), self._last_epoch))
            self._last_epoch = epochs[-1]
            steps = self._count_on(raw, steps, self._of_steps(epochs, cells.get(self.name)))
        else:
            self._last_step = steps[-1]
        return steps.astype(np.int64)

    def _of_steps(self, epochs: NDArray[np.float64], cells: Cells | None) -> NDArray[np.float64]:
        """The epochs as the steps see them: a row without a step, such as "Epoch 2", opens no epoch; the next step does."""
        own = np.zeros(len(epochs), bool)
        if cells is not None:
            own[cells[0]] = True
        seen = np.where(own, epochs, np.nan)
        return self._filled(len(epochs), (np.flatnonzero(own), seen[own]), self._step_epoch)

    def _filled(self, rows: int, cells: Cells | None, before: float) -> NDArray[np.float64]:
        """A column with its empty cells filled from the row before."""
        full = np.full(rows + 1, np.nan)
        full[0] = before
        if cells is not None:
            index, values = cells
            usable = np.isfinite(values) & (np.abs(values) < _LARGEST_STEP)
            full[index[usable] + 1] = values[usable]
        if np.isnan(full[0]):
            known = np.flatnonzero(~np.isnan(full))
            full[0] = full[known[0]] if len(known) else 0.0
        filled = np.maximum.accumulate(np.where(np.isnan(full), 0, np.arange(rows + 1)))
        return np.asarray(full[filled][1:], np.float64)

    def _count_on(self, raw: Raw, steps: NDArray[np.float64], epochs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Steps that fall back where the epoch advances count within the epoch: add what earlier epochs had.

        The first row of an epoch sits one interval after the last row of the epoch before it; an epoch met again after a
        restart gets the offset it had.
        """
        before = np.concatenate([[steps[0] if np.isnan(self._last_step) else self._last_step], steps[:-1]])
        epoch_before = np.concatenate([[epochs[0] if np.isnan(self._step_epoch) else self._step_epoch], epochs[:-1]])
        forward = steps[steps > before] - before[steps > before]
        if self._interval == 0.0 and len(forward):
            self._interval = float(np.median(forward))
        self._last_step, self._step_epoch = steps[-1], epochs[-1]
        again = (steps < before) & (epochs > epoch_before)
        if not self._offsets and not again.any():
            return steps
        raw.note("the step starts again with each epoch; steps are counted on from epoch to epoch")
        shifted = steps.copy()
        starts = np.flatnonzero((epochs != epoch_before) | again)
        for start, end in zip([0, *starts.tolist()], [*starts.tolist(), len(steps)], strict=True):
            if start == end:
                continue
            if start in starts:
                self._enter(float(epochs[start]), bool(again[start]), float(before[start]), float(steps[start]))
            shifted[start:end] += self._offset
        return shifted

    def _enter(self, epoch: float, again: bool, before: float, step: float) -> None:
        if epoch in self._offsets or epoch < min(self._offsets, default=epoch):
            self._offset = self._offsets.get(epoch, 0.0)
        elif again:
            self._offset += before + (self._interval or 1.0) - step
            self._offsets[epoch] = self._offset
