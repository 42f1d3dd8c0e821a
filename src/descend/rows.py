"""What an engine writes down at each point of a descent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows", "norm"]

Floats = NDArray[np.float64]
#: Longest sum of products at once: BLAS wakes other threads for more than 10,000 numbers, which on a busy machine takes long.
PIECE = 8192


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
        """Whether every loss and gradient norm is known to be finite. False says nothing: squares may overflow."""
        if self.book is None:
            return False
        flat = self.book.ravel()
        with np.errstate(over="ignore", invalid="ignore"):
            return math.isfinite(sum([float(flat[k : k + PIECE].dot(flat[k : k + PIECE])) for k in range(0, len(flat), PIECE)]))

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
