"""What a rule carries from step to step: arrays like the parameter, means over its rows or columns, single numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["COUNT", "ONE", "POWER", "SQUARE", "START", "ZERO", "Slot"]

Array = Any
Hyper = Mapping[str, Any]


@dataclass(frozen=True)
class Slot:
    """One quantity a rule carries from step to step: an array like the parameter, or a single number."""

    #: What it starts at: a number, the name of a hyperparameter, or "p" for the parameter itself.
    fill: float | str = 0.0
    #: "like" the parameter, "scalar", or "rows"/"columns": a mean over the last or the last but one axis.
    shape: str = "like"
    #: Kept only while this holds: the name of a hyperparameter that must not be 0 or False, or a test of (p, hyperparameters).
    when: str | Callable[[Array, Hyper], bool] | None = None
    #: The hyperparameter whose running power β^t this slot holds.
    power_of: str | None = None
    #: With `base`, the slot holds (base^hyperparameter)^t instead.
    base: float | None = None
    #: Holds the number of steps made.
    counts: bool = False
    #: Holds the size of gradients, mostly squares: linear stability is judged with it held still.
    square: bool = False
    #: Its value after very many steps, where that is known beforehand; a hyperparameter's name: stability is judged with that.
    limit: float | str | None = None

    def only(self, when: str | Callable[[Array, Hyper], bool]) -> Slot:
        """The same slot, kept only where `when` holds."""
        return replace(self, when=when)

    def filled(self, fill: float | str) -> Slot:
        """The same slot with another first value: a number, or the name of the hyperparameter that gives it."""
        return replace(self, fill=fill)

    def after(self, t: Array, hyper: Hyper) -> Array:
        """Its value after `t` steps, for slots that follow from the number of steps alone; None for the others."""
        if self.counts:
            return t * 1.0
        if self.power_of is None:
            return None
        factor = hyper[self.power_of] if self.base is None else self.base ** hyper[self.power_of]
        return factor**t

    def kept(self, p: Array, hyper: Hyper) -> bool:
        """Whether a descent with these hyperparameters carries the slot for the array `p`."""
        if self.when is None:
            return True
        if callable(self.when):
            return self.when(p, hyper)
        value = hyper[self.when]
        return not (isinstance(value, bool | int | float) and value == 0)


ZERO = Slot()
SQUARE = Slot(square=True)
ONE = Slot(1.0, "scalar")
COUNT = Slot(0.0, "scalar", limit=1e9, counts=True)
START = Slot("p")


def POWER(name: str, base: float | None = None) -> Slot:  # noqa: N802  (stands beside ZERO and ONE)
    """A running product: the hyperparameter (or `base` to its power) to the power of the number of steps made."""
    return Slot(1.0, "scalar", power_of=name, base=base, limit=0.0)
