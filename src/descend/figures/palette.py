"""The colours of maps: one table of 256 for the page and for files, and a plane's columns as pictures have them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError

__all__ = ["DIVERGED", "MISSING", "NONE", "SHADES", "blocks", "column", "ramp_palette"]

#: Colours of the ramp, dark for the slow and the high, bright for the fast and the low; interpolated to SHADES.
RAMP = "301164 501271 721f81 932b80 b73779 d8456c f1605d fb8761 fea973 fecb87 fcedaf fcfdd8"
SHADES = 240
#: Places in the palette beyond the ramp.
NONE, MISSING, DIVERGED = 253, 254, 255
_BEYOND = {NONE: (0x80, 0x86, 0x90), MISSING: (0xD9, 0xD9, 0xD9), DIVERGED: (0, 0, 0)}


@cache
def ramp_palette() -> NDArray[np.uint8]:
    """The ramp from slow to fast, and the colours beyond it."""
    anchors = np.array([[int(code[i : i + 2], 16) for i in (0, 2, 4)] for code in RAMP.split(" ")], dtype=float)
    made = np.zeros((256, 3), dtype=np.uint8)
    at, where = np.linspace(0, 1, SHADES), np.linspace(0, 1, len(anchors))
    made[:SHADES] = np.round(np.stack([np.interp(at, where, anchors[:, i]) for i in range(3)], axis=1))
    for place, colour in _BEYOND.items():
        made[place] = colour
    return made


def column(plane: Any, name: str) -> NDArray[Any]:
    """A column with the first axis along x and the second along y."""
    values = np.asarray(plane[name])
    if values.ndim > 2:
        raise DescendError(f"a map has one or two axes; this plane has {values.ndim}: take a slice")
    return values.T if values.ndim == 2 else values[None, :]


def blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Rows of a map in parts of a million numbers or so: what is computed of all at once would fill the memory."""
    every = max(1, 1_000_000 // max(1, shape[1]))
    return (slice(k, k + every) for k in range(0, shape[0], every))
