"""What an engine writes down at each point of a descent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows", "norm"]

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Rows:
    """One row per point: its loss, the norms of its gradient and of the update made from there, the point where it is small."""

    loss: Floats
    grad_norm: Floats
    update_norm: Floats
    point: Floats
    #: All of it as one array, where it is one.
    book: Floats | None = None

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def finite(self) -> bool:
        """Whether every number is known to be finite. False says nothing: all rows may be, and not be one array."""
        return self.book is not None and np.count_nonzero(np.isfinite(self.book)) == self.book.size

    def first(self, n: int) -> Rows:
        """The first n rows."""
        return self if n == len(self) else Rows(self.loss[:n], self.grad_norm[:n], self.update_norm[:n], self.point[:n])


def norm(numbers: Floats) -> float:
    """Euclidean norm of a vector, also where squares overflow or vanish."""
    with np.errstate(all="ignore"):
        size = float(np.abs(numbers).max(initial=0.0))
        scale = size if 0 < size < math.inf and not 1e-130 < size < 1e150 else 1.0
        scaled = numbers / scale
        return scale * math.sqrt(np.einsum("i,i->", scaled, scaled))
