"""A descent like one before, from another start: nothing is asked twice.

A short descent takes some twenty microseconds; to look at its objective, its optimizer and its options takes five times that.
What comes of looking is kept here, for descents of a fixed number of steps whose objective cannot change behind our back. What
is to be said of its rows is worked out when the trace is looked at; one that does not stay finite then goes the long way.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from descend.book import Account, Made
from descend.compiled import Written
from descend.engine import Engine, JaxEngine, Repeat
from descend.objectives import Objective
from descend.rules import Optimizer
from descend.steady import known_by
from descend.stopping import Stop
from descend.trace import Trace
from descend.tracing import remember

__all__ = ["PATIENCE", "Again", "find", "keep"]

#: Seconds one call of the engine should take, so that progress shows and an interrupt is answered.
PATIENCE = 0.15
NO_RULE = Stop()
#: Makes a descent from these numbers, under this name.
Long = Callable[[list[float], str], Trace]

_kept: OrderedDict[Any, Again] = OrderedDict()
#: Those that were run once.
_once: OrderedDict[Any, None] = OrderedDict()


def find(objective: Any, optimizer: Any, steps: Any, seed: Any) -> tuple[Any, Again | None]:
    """What a descent is found again by, its start apart, and what was kept; None where it is not to be kept."""
    if type(optimizer) is not Optimizer or optimizer.mask is not None or type(steps) is not int:
        return None, None
    if seed is not None and type(seed) is not int:  # True is no seed, and equal to one
        return None, None
    if type(objective) is not str:
        objective = _told_by(objective)
        if objective is None:
            return None, None
    stated = "lr" in optimizer.stated  # one that is not is predicted, whatever the default
    key = (objective, optimizer.rule, stated, *optimizer.values.values(), *optimizer.common.items(), steps, seed)
    try:
        return key, _kept.get(key)
    except TypeError:  # a rate that is an array
        return None, None


def _told_by(objective: Any) -> Any:
    """What an objective is found again by, compared by identity and held by the key; None where it may have changed."""
    if not isinstance(objective, Objective):
        return known_by(objective)
    told = None if objective.immutable else known_by(objective.fun)
    return (objective, told) if objective.immutable or told is not None else None


def keep(key: Any, account: Account, engine: Engine, long: Long) -> None:
    """Keep what the next descent of this kind need not look for, from its second time on: most rates are tried once."""
    goal = account.goal
    if not (goal.immutable and account.variables and isinstance(engine, JaxEngine)):
        return
    if key not in _once:
        remember(_once, key, None)
        return
    repeat = engine.repeat(account.budget)
    if repeat is not None and engine.pace * account.budget <= PATIENCE:
        remember(_kept, key, Again(account, repeat, long))


class Again:
    """One call of a compiled program on a start point, and the trace of what it returns.

    `long` makes the same descent the long way.
    """

    def __init__(self, account: Account, repeat: Repeat, long: Long) -> None:
        self._account, self._repeat, self._long = account, repeat, long
        self._shape = (len(account.variables),)

    def __call__(self, start: Any, name: str) -> Trace | None:
        """The trace; None where the start needs a closer look."""
        numbers = self._numbers(self._account.goal.start if start is None else start)
        return None if numbers is None else Trace.later(_Left(self, numbers, name, self._repeat(numbers)))

    def made(self, numbers: list[float], name: str, written: Written) -> Callable[[str], Any]:
        """What is to be said of these rows, by field; where a value is not finite, of the descent made the long way."""
        rows, ending = self._repeat.read(numbers, written)
        if not rows.finite:
            return partial(getattr, self._long(numbers, name))
        return Made(self._account, numbers, [rows], 0, ending, NO_RULE, "", name)

    def _numbers(self, start: Any) -> list[float] | None:
        """The numbers of a start that is plainly right."""
        if type(start) is np.ndarray:
            if start.dtype != np.float64 or start.shape != self._shape:
                return None
            numbers: list[float] = start.tolist()
        elif type(start) in (list, tuple) and len(start) == self._shape[0] and all(type(v) in (int, float) for v in start):
            numbers = [float(v) for v in start]
        else:
            return None
        return numbers if math.isfinite(sum(numbers)) else None


class _Left:
    """What a descent left behind, not looked at yet."""

    __slots__ = ("_again", "_made", "_name", "_numbers", "_written")

    def __init__(self, again: Again, numbers: list[float], name: str, written: Written) -> None:
        self._again, self._numbers, self._name, self._written = again, numbers, name, written
        self._made: Callable[[str], Any] | None = None

    def __call__(self, field: str) -> Any:
        made = self._made
        if made is None:
            made = self._made = self._again.made(self._numbers, self._name, self._written)
        return made(field)
