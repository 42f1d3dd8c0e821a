"""What an engine writes down at each point of a descent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows", "row_norms"]

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
            if len(flat) <= PIECE:
                return math.isfinite(flat.dot(flat))
            return math.isfinite(sum([float(flat[k : k + PIECE].dot(flat[k : k + PIECE])) for k in range(0, len(flat), PIECE)]))

    def first(self, n: int) -> Rows:
        """The first n rows."""
        return self if n == len(self) else Rows(self.loss[:n], self.grad_norm[:n], self.update_norm[:n], self.point[:n])


def row_norms(rows: Floats) -> Floats:
    """Euclidean norm of each row; rows whose squares overflow are scaled first."""
    with np.errstate(all="ignore"):
        if rows.shape[1] <= 8:  # few columns: adding them up is faster than a reduction along short rows
            plain = np.square(rows[:, 0]) if rows.shape[1] else np.zeros(len(rows))
            for column in rows.T[1:]:
                plain += column * column
            plain = np.sqrt(plain, out=plain)
        else:
            rows = np.ascontiguousarray(rows)  # the order of a sum must not hang on how the rows lie in memory
            plain = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        huge = np.isinf(plain)
        if huge.any():
            largest = np.abs(rows[huge]).max(axis=1)
            plain[huge] = largest * np.sqrt(np.square(rows[huge] / largest[:, None]).sum(axis=1))
    return np.asarray(plain)
