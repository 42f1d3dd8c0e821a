"""From rows to a trace: the rows of a descent as they come, the columns they make, and what else is to be told of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.engine import Ending
from descend.judging import judge
from descend.objectives import Objective
from descend.rows import Rows
from descend.schedules import Schedule
from descend.stopping import QUIET, Stop
from descend.trace import Column, Outcome, Trace

__all__ = ["Account", "Book", "Made"]


class Book:
    """Collects an engine's rows, and says where a stop rule holds."""

    def __init__(self, stop: Stop, first: int) -> None:
        self.stop, self.first = stop, first
        self.parts: list[Rows] = []
        self.made = 0
        #: The row of the present point is the last of the parts already.
        self.closed = False
        #: The loss of the start point.
        self.start = math.nan
        #: Rows kept of the part added last, not counting the one that stopped it.
        self.last_kept = 0
        #: The last few losses, whichever parts they came with.
        self.latest = np.zeros(0)

    def add(self, rows: Rows, last: bool) -> str:
        """Add rows up to the first at which a stop rule holds; the reason, or nothing. `last`: one row more than updates."""
        if not self.parts:
            self.start = float(rows.loss[0])
            if self.stop.relative:
                self.stop = self.stop.from_gradient(float(rows.grad_norm[0]))
        found, reason = self.stop.first(rows, self.latest, self.start)
        self.closed = bool(reason) or last
        self.last_kept = found if reason else len(rows) - last
        if not self.closed:
            self.latest = np.concatenate([self.latest, rows.loss])[-QUIET:]
        self.parts.append(rows.first(found + bool(reason)))
        self.made += self.last_kept
        return reason

    def rows(self, last: Rows | None = None) -> list[Rows]:
        """All rows so far, and the last point's."""
        return [*self.parts, *([last] if last is not None else [])]


#: Steps of points, steps of updates, learning rates of the updates.
Along = tuple[NDArray[np.int64], NDArray[np.int64], Column | None]


@dataclass(frozen=True)
class Account:
    """What is to be told of a descent beside its start and its rows: the same for every start."""

    goal: Objective
    optimizer: Any
    rebuild: Callable[[Any], Any]
    variables: tuple[str, ...]
    budget: int
    #: The configuration, the start apart.
    config: Mapping[str, Any]
    notes: tuple[str, ...]

    #: What columns of one length are along: the last that was asked for.
    _along: list[tuple[int, int, Along]] = field(default_factory=list, repr=False, compare=False)

    def along(self, first: int, n: int) -> Along:
        """The steps of n points, those of the updates between them, and these updates' learning rates."""
        for start, length, along in self._along:
            if (start, length) == (first, n):
                return along
        step = np.arange(first, first + n)
        step.flags.writeable = False
        moved, lr = step[1:], self.optimizer.hyperparameters.get("lr")
        rates = None
        if lr is not None:
            values = lr(step[:-1]) if isinstance(lr, Schedule) else np.full(n - 1, float(lr))
            values.flags.writeable = False
            rates = Column(moved, values)
        self._along[:] = [(first, n, (step, moved, rates))]
        return step, moved, rates


@dataclass
class Made:
    """What is to be told of one descent, worked out as it is asked for: by the names of a trace's fields."""

    account: Account
    #: The point's numbers where they are few: an array might be changed before it is looked at.
    start: list[float] | None
    parts: list[Rows]
    #: The step of the first row.
    first: int
    ending: Ending
    stop: Stop
    reason: str
    name: str
    source = ""

    def __call__(self, field: str) -> Any:
        """What the trace's field of this name holds."""
        return getattr(self, field)

    @property
    def variables(self) -> tuple[str, ...]:
        return self.account.variables

    @property
    def notes(self) -> tuple[str, ...]:
        return self.account.notes

    @property
    def config(self) -> dict[str, Any]:
        told = self.account
        head = {"objective": told.goal.text, "start": self.start}
        own = {"hyperparameters": dict(told.config["hyperparameters"]), "interrupted": self.reason == "interrupted"}
        return {**head, **told.config, **own}

    @property
    def point(self) -> Any:
        return self.account.rebuild(self.ending.leaves())

    @property
    def state(self) -> dict[str, Any]:
        return self.ending.state()

    @property
    def outcome(self) -> Outcome:
        told = self.account
        known = {"config": self.config, "variables": told.variables, "point": self.point, "notes": told.notes}
        return judge(Trace(self.columns, **known), told.goal, self.reason, told.budget, self.stop)

    @property
    def columns(self) -> dict[str, Column]:
        return dict(self._columns)

    @cached_property
    def _columns(self) -> dict[str, Column]:
        if len(self.parts) > 1:  # long descents are not held twice
            self.parts = [_together(self.parts)]
        rows = self.parts[0]
        n = len(rows.loss)
        step, moved, lr = self.account.along(self.first, n)
        columns = {
            "loss": Column(step, rows.loss),
            "grad_norm": Column(step, rows.grad_norm),
            "update_norm": Column(moved, rows.update_norm[: n - 1]),
        }
        if lr is not None:
            columns["lr"] = lr
        if rows.point.shape[1]:
            columns["point"] = Column(step, rows.point)
        return columns


def _together(parts: list[Rows]) -> Rows:
    return Rows(*(np.concatenate([getattr(p, key) for p in parts]) for key in ("loss", "grad_norm", "update_norm", "point")))
