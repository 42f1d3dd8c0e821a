"""When a descent stops before its budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from descend.rows import Rows

__all__ = ["QUIET", "Stop"]

#: Changes of the loss in a row that must be within the tolerance before the loss counts as having stopped shrinking.
QUIET = 3


@dataclass(frozen=True)
class Stop:
    """Gradient norm or change of the loss at most this; size of the loss grown this manyfold.

    Negative and infinite values switch a rule off. A value that is not finite always stops.
    """

    tol_grad: float = -1.0
    tol_loss: float = -1.0
    growth: float = math.inf
    #: The gradient tolerance was not stated: it holds for gradients that begin at 1 or more, and shrinks with smaller ones.
    relative: bool = False

    def from_gradient(self, size: float) -> Stop:
        """The rule for a descent whose first gradient has this norm: 1e-9 times a function takes as many steps as the function.

        >>> Stop(1e-6, relative=True).from_gradient(0.5).tol_grad, Stop(1e-6).from_gradient(0.5).tol_grad
        (5e-07, 1e-06)
        """
        if not self.relative or self.tol_grad < 0 or not math.isfinite(size):
            return self
        return replace(self, tol_grad=self.tol_grad * min(1.0, size), relative=False)

    def first(self, rows: Rows, before: NDArray[np.float64], start: float) -> tuple[int, str]:
        """The first row at which a rule holds and which one, or the number of rows and nothing.

        `before` are the losses just before these rows, `start` the loss of the start point.
        """
        if self.tol_grad < 0 and self.tol_loss < 0 and math.isinf(self.growth) and rows.finite:
            return len(rows), ""
        with np.errstate(all="ignore"):
            reasons = {
                "not finite": ~(np.isfinite(rows.loss) & np.isfinite(rows.grad_norm)),
                "gradient": rows.grad_norm <= self.tol_grad,
                "loss": self._quiet(rows.loss, before),
                "growth": np.abs(rows.loss) > self.growth * max(abs(start), 1.0),
            }
        at = {name: int(np.argmax(holds)) for name, holds in reasons.items() if holds.any()}
        if not at:
            return len(rows), ""
        reason = min(at, key=lambda name: at[name])
        return at[reason], reason

    def _quiet(self, loss: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.bool_]:
        if self.tol_loss < 0:
            return np.zeros(len(loss), dtype=bool)
        joined = np.concatenate([np.full(QUIET + 1, np.inf), before, loss])
        small = np.abs(np.diff(joined)) <= self.tol_loss
        runs = np.convolve(small, np.ones(QUIET), mode="valid")[-len(loss) :] == QUIET
        return np.asarray(runs, dtype=bool)
