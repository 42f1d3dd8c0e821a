"""The protobuf wire format, as much of it as event files and W&B files need."""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["Field", "MalformedError", "fields", "signed", "varint"]

#: Field number, wire type, value (int for varints, raw bytes otherwise as start and end), start of the value, end of it.
Field = tuple[int, int, int, int, int]


class MalformedError(ValueError):
    """Bytes that are no protobuf message."""


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """An unsigned varint and the position after it."""
    result = shift = 0
    while at < end:
        byte = data[at]
        result |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return result & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift > 63:
            break
    raise MalformedError("varint runs past its end")


def signed(value: int) -> int:
    """An unsigned 64-bit varint as the int64 it stands for: negative steps are written as ten bytes.

    >>> signed(2**64 - 1)
    -1
    """
    return value - (1 << 64) if value >= 1 << 63 else value


def fields(data: bytes, at: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of a message: (number, wire type, varint value or 0, start, end of the value's bytes)."""
    stop = len(data) if end is None else end
    while at < stop:
        key, at = varint(data, at, stop)
        number, wire, value, start = key >> 3, key & 7, 0, at
        if wire == 0:
            value, at = varint(data, at, stop)
        elif wire == 1:
            at += 8
        elif wire == 5:
            at += 4
        elif wire == 2:
            size, start = varint(data, at, stop)
            at = start + size
        else:
            raise MalformedError(f"wire type {wire}")
        if at > stop or number == 0:
            raise MalformedError("a field runs past its end")
        yield number, wire, value, start, at


def double(data: bytes, at: int) -> float:
    """A little-endian float64."""
    return float(struct.unpack_from("<d", data, at)[0])
