"""Frame: one message to the page. A few plain values as JSON, and arrays as they lie in memory.

    u32 length of the JSON · the JSON, padded with spaces to a multiple of 8 · the arrays, each padded to 8

The JSON's `arrays` says where each lies: name -> [dtype, shape, offset in bytes from the end of the JSON]. Little-endian
throughout; NaN and Inf travel in arrays only, and are null in JSON.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.trace import strict_json

__all__ = ["Frame", "pack", "single", "unpack"]

_TYPES = {np.dtype(name): name for name in ("float32", "float64", "int32", "uint8")}


@dataclass(frozen=True)
class Frame:
    """What is answered: plain values, and arrays of float32, float64, int32 or uint8 by name."""

    data: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def single(values: Any) -> NDArray[np.float32]:
    """The values in float32, for drawing; what is beyond it is infinite.

    >>> single([1e300, 0.5])
    array([inf, 0.5], dtype=float32)
    """
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, np.float32)


def pack(frame: Frame) -> bytes:
    """The frame as bytes.

    >>> unpack(pack(Frame({"ok": True}, {"x": np.arange(3, dtype=np.float32)}))).arrays["x"]
    array([0., 1., 2.], dtype=float32)
    """
    places, parts, offset = {}, [], 0
    for name, array in frame.arrays.items():
        kind = _TYPES.get(array.dtype)
        if kind is None:
            raise TypeError(f"array {name!r} is {array.dtype}; a frame carries {', '.join(_TYPES.values())}")
        raw = np.ascontiguousarray(array).tobytes()
        places[name] = [kind, list(array.shape), offset]
        parts.append(raw + bytes(-len(raw) % 8))
        offset += len(parts[-1])
    head = strict_json({**frame.data, "arrays": places}).encode()
    head += b" " * (-(4 + len(head)) % 8)
    return b"".join([struct.pack("<I", len(head)), head, *parts])


def unpack(message: bytes) -> Frame:
    """The frame in these bytes: what the page does in JavaScript, for tests and notebooks."""
    (length,) = struct.unpack_from("<I", message)
    data = json.loads(message[4 : 4 + length])
    arrays = {}
    for name, (dtype, shape, offset) in data.pop("arrays").items():
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(message, dtype, count, 4 + length + offset).reshape(shape)
    return Frame(data, arrays)
