"""W&B offline runs (.wandb): a LevelDB log of protobuf records.

The file is ":W&B", u16 0xBEE1, u8 version, then blocks of 32 KiB. In a block: crc32 (u32, zlib's, over type byte and data),
length (u16), type (u8: 1 whole, 2 first, 3 middle, 4 last), data. Fewer than 7 bytes left in a block are padding.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.logs.collect import Cells, Raw, Table
from descend.logs.protobuf import MalformedError, double, fields, signed
from descend.logs.records import flat_numbers, flat_settings, number

__all__ = ["Wandb"]

_BLOCK = 32768
_LARGEST = 64 << 20
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


class Wandb:
    """Reads a .wandb file piece by piece."""

    def __init__(self, name: str, source: str) -> None:
        self._raw = Raw(name, source, "w&b offline")
        self._table = Table(self._raw)
        self._rest, self._place = b"", 0  # bytes not yet read, and where in the file they start
        self._partial: bytes | None = None
        self._rows: list[dict[str, float]] = []
        self._bad = False

    def feed(self, data: bytes) -> None:
        """Append a piece of the file."""
        data, at = self._rest + data, 0
        if self._place == 0:
            if len(data) < 7:
                self._rest = data
                return
            if data[4:6] != b"\xe1\xbe":
                raise DescendError(f"{self._raw.source!r} starts like a W&B run but its header is damaged")
            at = 7
        while True:
            after = self._next(data, at)
            if after is None:
                break
            at = after
        self._place += at
        self._rest = data[at:]
        self._flush()

    def _next(self, data: bytes, at: int) -> int | None:
        """Read one piece of a record; the position after it, or None when more bytes are needed."""
        left, room = len(data) - at, _BLOCK - (self._place + at) % _BLOCK
        if room < 7:
            return int(at + room) if left >= room else None
        if left < 7:
            return None
        crc, size, kind = struct.unpack_from("<IHB", data, at)
        if kind == 0 or kind > 4 or size + 7 > room:
            self._bad |= (crc, size, kind) != (0, 0, 0)  # zeros fill a block that was allocated in advance
            self._partial = None
            return at + room if left >= room else None
        end = int(at + 7 + size)
        if end > len(data):
            return None
        piece = data[at + 7 : end]
        if zlib.crc32(piece, zlib.crc32(bytes([kind]))) != crc:
            self._bad, self._partial = True, None
        else:
            self._piece(kind, piece)
        return end

    def _piece(self, kind: int, piece: bytes) -> None:
        if kind in (_WHOLE, _FIRST):
            self._partial = piece
        elif self._partial is not None:
            self._partial = self._partial + piece if len(self._partial) < _LARGEST else None
        if kind in (_WHOLE, _LAST) and self._partial is not None:
            record, self._partial = self._partial, None
            try:
                self._record(record)
            except MalformedError:
                self._bad = True

    def finish(self) -> None:
        """The file has ended."""
        if self._rest.strip(b"\x00") or self._partial is not None:
            self._raw.note("its last record is cut off, as after a crash or while being written")

    def runs(self) -> list[Raw]:
        """The run so far."""
        raw = self._table.result()
        if self._bad:
            raw.note("parts of the file are damaged (their checksums are wrong) and were left out")
        return [raw]

    # -- records ------------------------------------------------------------------------------------------------------

    def _record(self, record: bytes) -> None:
        for field, wire, _, start, end in fields(record):
            if wire != 2:
                continue
            if field == 2:
                self._history(record, start, end)
            elif field == 5:
                self._config(record, start, end)
            elif field == 17:
                self._run(record, start, end)

    def _history(self, record: bytes, start: int, end: int) -> None:
        row: dict[str, float] = {}
        step: int | None = None
        for field, wire, _, begin, stop in fields(record, start, end):
            if field == 1 and wire == 2:
                _item(record, begin, stop, row)
            elif field == 2 and wire == 2:
                step = 0  # protobuf leaves a zero out
                for inner, kind, value, _, _ in fields(record, begin, stop):
                    step = signed(value) if inner == 1 and kind == 0 else step
        if step is not None:
            row.setdefault("_step", float(step))
        if row:
            self._rows.append(row)
        if len(self._rows) >= 10_000:
            self._flush()

    def _flush(self) -> None:
        """Hand the rows read so far to the run."""
        rows: dict[str, list[int]] = {}
        values: dict[str, list[float]] = {}
        for i, row in enumerate(self._rows):
            for name, value in row.items():
                rows.setdefault(name, []).append(i)
                values.setdefault(name, []).append(value)
        cells: dict[str, Cells] = {n: (np.array(rows[n], np.int64), np.array(values[n], np.float64)) for n in rows}
        if self._rows:
            self._table.add(len(self._rows), cells)
        self._rows = []

    def _config(self, record: bytes, start: int, end: int) -> None:
        for field, wire, _, begin, stop in fields(record, start, end):
            if field == 1 and wire == 2:
                name, value = _key_value(record, begin, stop)
                if name and name != "_wandb" and not name.startswith("_wandb/"):
                    self._raw.hyperparameters |= flat_settings({name: value})

    def _run(self, record: bytes, start: int, end: int) -> None:
        for field, wire, _, begin, stop in fields(record, start, end):
            if field == 4 and wire == 2:
                self._config(record, begin, stop)
            elif field == 8 and wire == 2:
                self._raw.name = record[begin:stop].decode("utf-8", "replace") or self._raw.name


def _item(record: bytes, start: int, end: int, row: dict[str, float]) -> None:
    """One quantity of a history row; nested dictionaries become names joined by slashes."""
    name, value = _key_value(record, start, end)
    if isinstance(value, dict):
        row.update(flat_numbers(name, value))
    elif name and (plain := number(value)) is not None:
        row[name] = plain


def _key_value(record: bytes, start: int, end: int) -> tuple[str, Any]:
    """Name and value of an item: JSON in older files, typed fields in newer ones."""
    names: list[str] = []
    value: Any = None
    for field, wire, plain, begin, stop in fields(record, start, end):
        if field in (1, 2) and wire == 2:
            names.append(record[begin:stop].decode("utf-8", "replace"))
        elif field in (8, 16) and wire == 2:
            try:
                value = json.loads(record[begin:stop])
            except (ValueError, RecursionError):
                value = None
        elif field == 4 and wire == 0:
            value = bool(plain)
        elif field == 5 and wire == 0:
            value = (plain >> 1) ^ -(plain & 1)
        elif field == 6 and wire == 1:
            value = double(record, begin)
        elif field == 7 and wire == 2:
            value = record[begin:stop].decode("utf-8", "replace")
    return "/".join(n for n in names if n), value
