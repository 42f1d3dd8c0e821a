"""TensorBoard event files: frames found one by one, decoded thousands at a time.

A file repeats: length (u64), masked crc32c of the length, an Event message, masked crc32c of the message. Events of one
length usually share one layout and differ only in wall time, step, tag and value: one of them is parsed field by field, the
others are read through its layout as columns of a byte matrix. Checksums are verified the same way, column by column.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.logs.collect import Raw
from descend.logs.protobuf import MalformedError, double, fields, signed, varint

__all__ = ["Events", "looks_like_events"]

_LARGEST = 1 << 20  # events beyond 1 MB are images, graphs or audio, never scalars
_TEMPLATES = 64  # layouts tried per length before the rest is parsed one by one
_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}
Bytes = NDArray[np.uint8]


def _crc_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0x82F63B78), table >> 1).astype(np.uint32)
    return table


_TABLE = _crc_table()


def masked_crc32c(rows: Bytes) -> NDArray[np.uint32]:
    """The masked CRC-32C of each row of a byte matrix of shape (n, length).

    >>> hex(int(masked_crc32c(np.frombuffer(b"123456789", np.uint8)[None])[0]))
    '0xc78ab0e5'
    """
    crc = np.full(len(rows), 0xFFFFFFFF, np.uint32)
    for byte in np.ascontiguousarray(rows.T):
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> np.uint32(8))
    crc = ~crc
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)


def looks_like_events(head: bytes) -> bool:
    """Whether a file starts with a length and its checksum."""
    if len(head) < 12:
        return False
    return int(masked_crc32c(np.frombuffer(head[:8], np.uint8)[None])[0]) == int(struct.unpack_from("<I", head, 8)[0])


@dataclass
class _Layout:
    """Where the varying bytes of an event are."""

    step: tuple[int, int] = (0, 0)
    tag: tuple[int, int] = (0, 0)
    value: tuple[int, str] | None = None
    #: Bytes (bits, for the step) in which every event of this layout is the same.
    mask: Bytes = field(default_factory=lambda: np.zeros(0, np.uint8))


class Events:
    """Reads an event file piece by piece."""

    def __init__(self, name: str, source: str) -> None:
        self.raw = Raw(name, source, "tensorboard", axis_name="step")
        self._rest = b""
        self._skip = 0
        self._damaged = 0
        self._lost = False
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Append a piece of the file."""
        if self._skip:
            dropped = min(self._skip, len(data))
            self._skip -= dropped
            data = data[dropped:]
        buffer = self._rest + data
        at = 0
        while at < len(buffer):
            starts, sizes, at = _frames(buffer, at)
            good = self._decode(buffer, starts, sizes)
            if good < len(starts):
                at = starts[good]
            if len(buffer) - at < 12:
                break
            size = struct.unpack_from("<Q", buffer, at)[0]
            if not looks_like_events(buffer[at : at + 12]):
                self._lost = True
                at = _resync(buffer, at + 1)
            elif size > _LARGEST:
                self._skip = max(at + size + 16 - len(buffer), 0)
                at = min(at + size + 16, len(buffer))
            else:
                break
        self._rest = buffer[at:]

    def finish(self) -> None:
        """The file has ended."""
        if self._rest or self._skip:
            self.raw.note("its last event is cut off, as after a crash or while being written")

    def runs(self) -> list[Raw]:
        """The run so far."""
        if self._damaged or self._lost:
            self.raw.note("parts of the event file are damaged (their checksums are wrong) and were left out")
        return [self.raw]

    def _decode(self, buffer: bytes, starts: list[int], sizes: list[int]) -> int:
        """Decode frames up to the first whose length is damaged; returns how many."""
        if not starts:
            return 0
        codes = np.frombuffer(buffer, np.uint8)
        begin = np.array(starts)
        heads = np.lib.stride_tricks.sliding_window_view(codes, 12)[begin]
        wrong = np.flatnonzero(masked_crc32c(heads[:, :8]) != np.ascontiguousarray(heads[:, 8:]).view("<u4")[:, 0])
        good = int(wrong[0]) if len(wrong) else len(starts)
        lengths, begin = np.array(sizes[:good]), begin[:good]
        found: dict[bytes, list[tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]]] = {}
        for length in np.unique(lengths):
            if length > 0:
                self._decode_length(codes, np.flatnonzero(lengths == length), begin, int(length), found)
        for tag, pieces in found.items():
            order = np.concatenate([p[0] for p in pieces])
            steps, values = np.concatenate([p[1] for p in pieces]), np.concatenate([p[2] for p in pieces])
            if len(pieces) > 1:
                turn = np.argsort(order, kind="stable")
                steps, values = steps[turn], values[turn]
            self.raw.add(tag.decode("utf-8", "replace"), steps, values)
        return good

    def _decode_length(self, codes: Bytes, which: NDArray[np.intp], begin: NDArray[np.int64], length: int, found: Any) -> None:
        """Decode all events of one length, a layout at a time."""
        rows = np.lib.stride_tricks.sliding_window_view(codes, length + 4)[begin[which] + 12]
        intact = masked_crc32c(rows[:, :length]) == np.ascontiguousarray(rows[:, length:]).view("<u4")[:, 0]
        self._damaged += int((~intact).sum())
        rows, which = rows[intact, :length], which[intact]
        for _ in range(_TEMPLATES):
            if not len(rows):
                return
            layout = self._layout(rows[0].tobytes())
            if layout is None:
                self._one(rows[0].tobytes(), which[:1], found)
                rows, which = rows[1:], which[1:]
                continue
            same = ~((rows ^ rows[0]) & layout.mask).any(1)
            if layout.value is not None:
                _read_columns(rows[same], which[same], layout, found)
            rows, which = rows[~same], which[~same]
        for i in range(len(rows)):
            self._one(rows[i].tobytes(), which[i : i + 1], found)

    def _one(self, event: bytes, which: NDArray[np.intp], found: Any) -> None:
        """An event parsed field by field: several values at once, integers, hyperparameters."""
        try:
            step, values = _parse(event, self.raw)
        except MalformedError:
            self._damaged += 1
            return
        for tag, value in values:
            found.setdefault(tag, []).append((which, np.array([step], np.int64), np.array([value])))

    def _layout(self, event: bytes) -> _Layout | None:
        """The layout of an event that holds one value of fixed width; None when it has to be parsed by itself."""
        layout = _Layout(mask=np.full(len(event), 0xFF, np.uint8))
        try:
            summary = [f for f in fields(event) if f[0] == 5]
            if len(summary) != 1:
                return None
            for number, wire, _, start, end in fields(event):
                if number == 1 and wire == 1:
                    layout.mask[start:end] = 0
                elif number == 2 and wire == 0:
                    layout.step = (start, end)
                    layout.mask[start:end] = 0x80
            values = [f for f in fields(event, *summary[0][3:]) if f[0] == 1]
            return _value_layout(event, layout, *values[0][3:]) if len(values) == 1 else None
        except MalformedError:
            return None


def _frames(buffer: bytes, at: int) -> tuple[list[int], list[int], int]:
    """Starts and lengths of the whole frames from `at` on, and the position after the last."""
    starts, sizes, end = [], [], len(buffer) - 12
    unpack = struct.Struct("<Q").unpack_from
    while at <= end:
        size = unpack(buffer, at)[0]
        after = at + size + 16
        if after > end + 12 or size > _LARGEST:
            break
        starts.append(at)
        sizes.append(size)
        at = after
    return starts, sizes, at


def _resync(buffer: bytes, at: int) -> int:
    """The next position where a length agrees with its checksum, or near the end of the buffer."""
    codes = np.frombuffer(buffer, np.uint8)
    while len(buffer) - at >= 12:
        windows = np.lib.stride_tricks.sliding_window_view(codes[at : at + (1 << 16) + 11], 12)
        right = np.flatnonzero(masked_crc32c(windows[:, :8]) == np.ascontiguousarray(windows[:, 8:]).view("<u4")[:, 0])
        if len(right):
            return at + int(right[0])
        at += len(windows)
    return at


def _value_layout(event: bytes, layout: _Layout, start: int, end: int) -> _Layout | None:
    """Completes the layout of an event with the tag and the number of its one value."""
    for number, wire, _, begin, stop in fields(event, start, end):
        if number == 1 and wire == 2:
            layout.tag = (begin, stop)
            layout.mask[begin:stop] = 0
        elif number == 2 and wire == 5:
            layout.value = (begin, "<f4")
        elif number == 8 and wire == 2:
            layout.value = _tensor_layout(event, begin, stop)
            if layout.value is None:
                return None
        elif number == 9:
            return None  # metadata comes with the first value of a tag, and carries hyperparameters and texts
        elif number in (4, 5, 6):
            layout.mask[begin:] = 0  # an image, a histogram or audio: passed over together with all of its kind
            return layout if layout.tag[1] else None
    if layout.value is None or not layout.tag[1]:
        return None
    at, kind = layout.value
    layout.mask[at : at + np.dtype(kind).itemsize] = 0
    return layout


def _tensor_layout(event: bytes, start: int, end: int) -> tuple[int, str] | None:
    """Where the one number of a scalar tensor is, and its type."""
    kind, place = "", None
    for number, wire, value, begin, stop in fields(event, start, end):
        if number == 1:
            kind = _DTYPES.get(value, "")
        elif number in (4, 5, 6) and wire in (1, 2, 5):
            place = (begin, stop)
    if place is None or not kind or place[1] - place[0] != np.dtype(kind).itemsize:
        return None
    return place[0], kind


def _read_columns(rows: Bytes, which: NDArray[np.intp], layout: _Layout, found: Any) -> None:
    """Steps and values of all events of one layout, tag by tag."""
    if layout.value is None:
        return
    begin, end = layout.step
    steps = np.zeros(len(rows), np.uint64)
    for i in range(begin, end):
        steps |= (rows[:, i].astype(np.uint64) & np.uint64(0x7F)) << np.uint64(7 * (i - begin))
    at, kind = layout.value
    values = np.ascontiguousarray(rows[:, at : at + np.dtype(kind).itemsize]).view(kind)[:, 0].astype(np.float64)
    tags = rows[:, layout.tag[0] : layout.tag[1]]
    left = np.arange(len(rows))
    for _ in range(16):
        if not len(left):
            return
        name = tags[left[0]]
        same = (tags[left] == name).all(1)
        mine, left = left[same], left[~same]
        found.setdefault(name.tobytes(), []).append((which[mine], steps[mine].view(np.int64), values[mine]))
    names, inverse = np.unique(np.ascontiguousarray(tags[left]).view(f"V{tags.shape[1]}")[:, 0], return_inverse=True)
    for i, tag in enumerate(names):
        mine = left[inverse == i]
        found.setdefault(tag.tobytes(), []).append((which[mine], steps[mine].view(np.int64), values[mine]))


# -- one event, field by field -------------------------------------------------------------------------------------------


def _parse(event: bytes, raw: Raw) -> tuple[int, list[tuple[bytes, float]]]:
    """Step and scalars of an event; hyperparameters go to the run."""
    step, values = 0, []
    for number, wire, value, start, end in fields(event):
        if number == 2 and wire == 0:
            step = signed(value)
        elif number == 5 and wire == 2:
            for inner, kind, _, begin, stop in fields(event, start, end):
                if inner == 1 and kind == 2:
                    pair = _scalar(event, begin, stop, raw)
                    if pair is not None:
                        values.append(pair)
    return step, values


def _scalar(event: bytes, start: int, end: int, raw: Raw) -> tuple[bytes, float] | None:
    tag, number_found, tensor, plugin = b"", None, None, b""
    for number, wire, _, begin, stop in fields(event, start, end):
        if number == 1 and wire == 2:
            tag = event[begin:stop]
        elif number == 2 and wire == 5:
            number_found = float(struct.unpack_from("<f", event, begin)[0])
        elif number == 8 and wire == 2:
            tensor = (begin, stop)
        elif number == 9 and wire == 2:
            plugin = _metadata(event, begin, stop, raw)
    if tensor is not None and plugin in (b"text", b"hparams"):
        _text(tag, event[tensor[0] : tensor[1]], raw)
    elif tensor is not None:
        number_found = _tensor(event, *tensor)
    return (tag, number_found) if tag and number_found is not None else None


def _tensor(event: bytes, start: int, end: int) -> float | None:
    """The number in a tensor with one element."""
    kind, content = "", None
    for number, wire, value, begin, stop in fields(event, start, end):
        if number == 1:
            kind = _DTYPES.get(value, "")
        elif number in (4, 5, 6) and wire in (1, 2, 5):
            content = event[begin:stop]
        elif number in (7, 10) and wire == 2:
            plain, after = varint(event, begin, stop)
            return float(signed(plain)) if after == stop else None
        elif number in (7, 10) and wire == 0:
            return float(signed(value))
    if content is None or not kind or len(content) != np.dtype(kind).itemsize:
        return None
    return float(np.frombuffer(content, kind)[0])


def _metadata(event: bytes, start: int, end: int, raw: Raw) -> bytes:
    """The plugin's name; the hyperparameters that add_hparams wrote."""
    plugin, content = b"", b""
    for number, wire, _, begin, stop in fields(event, start, end):
        if number == 1 and wire == 2:
            for inner, kind, _, first, last in fields(event, begin, stop):
                plugin = event[first:last] if inner == 1 and kind == 2 else plugin
                content = event[first:last] if inner == 2 and kind == 2 else content
    if plugin == b"hparams":
        for number, wire, _, begin, stop in fields(content):
            if number == 3 and wire == 2:  # session_start_info
                for inner, kind, _, first, last in fields(content, begin, stop):
                    if inner == 1 and kind == 2:
                        _hyperparameter(content[first:last], raw)
    return plugin


def _hyperparameter(entry: bytes, raw: Raw) -> None:
    """One entry of the map name -> google.protobuf.Value."""
    name = ""
    setting: float | str | bool | None = None
    for number, wire, _, begin, stop in fields(entry):
        if number == 1 and wire == 2:
            name = entry[begin:stop].decode("utf-8", "replace")
        elif number == 2 and wire == 2:
            for inner, _, value, first, last in fields(entry, begin, stop):
                if inner == 2:
                    setting = double(entry, first)
                else:
                    setting = entry[first:last].decode("utf-8", "replace") if inner == 3 else bool(value)
    if name:
        raw.hyperparameters[name] = setting


def _text(tag: bytes, tensor: bytes, raw: Raw) -> None:
    """The Trainer of Hugging Face writes its arguments as a text: the settings and whether NaN losses are hidden."""
    if not tag.startswith(b"args"):
        return
    for number, wire, _, begin, stop in fields(tensor):
        if number == 8 and wire == 2:
            try:
                settings = json.loads(tensor[begin:stop])
            except (ValueError, RecursionError):
                continue
            if isinstance(settings, dict):
                raw.hyperparameters |= {k: v for k, v in settings.items() if isinstance(v, int | float | str)}
                if isinstance(settings.get("logging_nan_inf_filter"), bool):
                    raw.config["nan_filtered"] = settings["logging_nan_inf_filter"]
