"""From rows to a trace: the rows of a descent as they come, the columns they make, and what else is to be told of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from descend.engine import Ending
from descend.judging import judge
from descend.objectives import Objective
from descend.rows import Rows
from descend.schedules import Schedule
from descend.stopping import QUIET, Stop
from descend.trace import Column, Outcome, Trace

__all__ = ["Account", "Book"]


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

    def trace(
        self, start: list[float] | None, parts: list[Rows], first: int, ending: Ending, stop: Stop, reason: str, name: str
    ) -> Trace:
        """The trace of these rows, the first of which belongs to step `first`; worked out as far as it is asked for.

        `start` is the point's numbers where they are few: an array might be changed before it is looked at.
        """
        made = _Made(self, start, parts, first, ending, stop, reason)
        later = {
            "columns": made.columns,
            "outcome": made.outcome,
            "config": made.config,
            "point": made.point,
            "state": made.state,
        }
        return Trace.lazily(later, variables=self.variables, name=name, notes=self.notes)


@dataclass
class _Made:
    """One descent's rows and ending."""

    account: Account
    start: list[float] | None
    parts: list[Rows]
    first: int
    ending: Ending
    stop: Stop
    reason: str

    def config(self) -> dict[str, Any]:
        told = self.account
        head = {"objective": told.goal.text, "start": self.start}
        own = {"hyperparameters": dict(told.config["hyperparameters"]), "interrupted": self.reason == "interrupted"}
        return {**head, **told.config, **own}

    def point(self) -> Any:
        return self.account.rebuild(self.ending()[0])

    def state(self) -> dict[str, Any]:
        return self.ending()[1]

    def outcome(self) -> Outcome:
        told = self.account
        known = {"config": self.config(), "variables": told.variables, "point": self.point(), "notes": told.notes}
        return judge(Trace(self.columns(), **known), told.goal, self.reason, told.budget, self.stop)

    def columns(self) -> dict[str, Column]:
        return dict(self._columns)

    @cached_property
    def _columns(self) -> dict[str, Column]:
        loss, size, moved, point = (_together([getattr(p, key) for p in self.parts]) for key in _COLUMNS)
        self.parts = [Rows(loss, size, moved, point)]  # long descents are not held twice
        step = np.arange(self.first, self.first + len(loss))
        made = step[:-1]
        columns = {"loss": Column(step, loss), "grad_norm": Column(step, size)}
        columns["update_norm"] = Column(step[1:], moved[: len(made)])
        lr = self.account.optimizer.hyperparameters.get("lr")
        if lr is not None:
            columns["lr"] = Column(step[1:], lr(made) if isinstance(lr, Schedule) else np.full(len(made), float(lr)))
        if point.shape[1]:
            columns["point"] = Column(step, point)
        return columns


_COLUMNS = ("loss", "grad_norm", "update_norm", "point")


def _together(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
