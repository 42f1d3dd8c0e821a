"""Mistakes told apart by what the user's optimizer keeps: each mean, sum or buffer of its own has an equation of its own.

From the points alone two mistakes are one riddle. Where the arrays an optimizer keeps can be read, each of them is compared
with ours, given the points it visited: what is wrong in one is found without knowing what else is wrong, and the rest is
looked for beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from descend.check.kept import (
    Kept,
    Reading,
    Trial,
    Watch,
    apart,
    changes_together,
    nearest,
    pieces_together,
    readings_of,
    slots_together,
    trial_of,
    trials_of,
)
from descend.check.places import array_slots, rule_lines
from descend.check.probes import Probe
from descend.check.sieve import Sieve, flat
from descend.check.solved import Solver, free_places
from descend.check.variants import Candidate, Change
from descend.check.widening import formulas_of, in_one
from descend.rules import Rule

__all__ = ["Told", "in_the_step", "told_by_kept", "two_in_the_step"]

#: Forms of a rule that are looked at; fewer where arrays are needed.
FORMS, COSTLY = 8, 4
#: Further forms are not looked at where what was found is as likely as this.
LIKELY = 2.5
#: Readings beside which something is looked for, and what is found that is compared in full.
FEW = 4
#: Of two changes in the step the first is one of so many; pairs that are tried where one entry tells enough.
FIRST, PAIRS = 80, 60_000

Fits = Callable[[Candidate], float | None]


@dataclass
class Told:
    """What the kept arrays say."""

    #: Candidates that fit every probe, the likeliest first.
    found: list[tuple[float, Candidate]] = field(default_factory=list)
    #: Slots of the rule that were found as they should be, and those that were found with a mistake in them.
    right: frozenset[str] = frozenset()
    wrong: list[Candidate] = field(default_factory=list)
    #: Slots that no kept array equals, though there are arrays left that may be they.
    open: tuple[str, ...] = ()
    tried: int = 0
    #: Forms of which all that is kept is right, and what may be changed in them.
    steps: list[tuple[Candidate, list[Trial]]] = field(default_factory=list)


@dataclass
class _Case:
    """What a candidate is compared with, and what has been found."""

    probes: Sequence[Probe]
    points: Sequence[np.ndarray]
    tolerance: float
    fits: Fits
    told: Told

    def sieve(self, ref: Candidate, whole: bool = False) -> Sieve:
        """One that lets pass what takes the user's first steps."""
        return Sieve(ref, self.probes, self.points, self.tolerance, whole)

    def add(self, ref: Candidate, trials: Sequence[Trial]) -> bool:
        """Whether these changes together fit every probe; if so they are noted."""
        made = in_one(ref, [t.make() for t in trials])
        if made is None or self.fits(made) is None:
            return False
        self.told.found.append((sum(t.cost for t in trials), made))
        return True

    @property
    def likely(self) -> bool:
        """Whether something was found that is as likely as one may ask."""
        return any(cost <= LIKELY for cost, _ in self.told.found)


def told_by_kept(
    forms: Sequence[Candidate],
    pool: Callable[[Candidate], Sequence[Candidate]],
    kept: Sequence[Kept],
    probes: Sequence[Probe],
    points: Sequence[np.ndarray],
    tolerance: float,
    fits: Fits,
) -> Told:
    """Mistakes that the kept arrays show, and what is wrong beside them; `pool` are the likely changes of a form."""
    told = Told()
    if not any(k.arrays for k in kept):
        return told
    case = _Case(probes, points, tolerance, fits, told)
    open_: list[tuple[Candidate, list[list[Trial]]]] = []
    best = -1
    for watch in nearest([Watch(ref, kept, tolerance) for ref in forms[: FORMS if flat(forms[0]) else COSTLY]]):
        trials = trials_of(watch.ref, pool(watch.ref))
        told.tried += len(trials)
        readings = readings_of(watch, trials)
        best = max(best, _noted(told, readings[0], best))
        firsts = [chosen for chosen, _, _ in readings if chosen]
        if firsts:
            open_.append((watch.ref, firsts))
        elif {slot for slot, _ in readings[0][1]} >= _written(watch.ref.rule):
            told.steps.append((watch.ref, trials))
        if any(case.add(watch.ref, first) for first in firsts):
            break
        _beside(case, watch.ref, firsts, trials)
        if case.likely:
            break
    for ref, firsts in open_ if not told.found else ():
        _solved_beside(case, ref, firsts)
        if case.likely:
            break
    told.found.sort(key=lambda pair: pair[0])
    return told


def _noted(told: Told, reading: Reading, best: int) -> int:
    """Keep a reading that explains more than any before; how much it explains."""
    chosen, right, open_ = reading
    if len(right) > best:
        changed = [s for s, _ in right if any(_defines(t, s) for t in chosen)]
        told.right, told.open = frozenset(s for s, _ in right if s not in changed), tuple(open_)
        told.wrong = [c for t in chosen if (c := t.make()) is not None]
    return len(right)


def _beside(case: _Case, ref: Candidate, firsts: Sequence[list[Trial]], trials: Sequence[Trial]) -> None:
    """What the kept arrays show, and one change more."""
    whole = case.sieve(ref, whole=True)
    plain = case.sieve(ref) if flat(ref) else whole
    for first in firsts[:FEW]:
        found = 0
        for trial in trials:
            if not apart([*first, trial]):
                continue
            case.told.tried += 1
            sieve = whole if trial.whole or any(t.whole for t in first) else plain
            both = [*first, trial]
            pieces = pieces_together(sieve, both)
            if pieces is not None and sieve.passes(pieces, slots_together(both)):
                found += case.add(ref, both)
            if found >= FEW:
                break
        if found:
            return


def _solved_beside(case: _Case, ref: Candidate, firsts: Sequence[list[Trial]]) -> None:
    """What the kept arrays show, and another number than should be in some place."""
    solver = Solver(ref, case.probes, case.points, case.tolerance)
    for first in firsts[:FEW]:
        changes, slots = changes_together(first), slots_together(first)
        for free in free_places(ref.rule):
            if not apart([*first, Trial(free.changes, {}, 0.0, lambda: None)]):
                continue
            case.told.tried += 1
            solution = solver.solve(free, changes, slots)
            for edit in formulas_of([solution]) if solution is not None else ():
                case.add(ref, [*first, trial_of(ref, edit)])
        if case.told.found:
            return


def two_in_the_step(told: Told, probes: Sequence[Probe], points: Sequence[np.ndarray], tolerance: float, fits: Fits) -> None:
    """All that is kept is right: two changes are looked for in the lines that nothing kept is made of."""
    case = _Case(probes, points, tolerance, fits, told)
    for ref, trials in told.steps:
        if not told.found:
            _two(case, ref, trials)


def in_the_step(rule: Rule, changes: Sequence[Change]) -> bool:
    """Whether changes are in lines that nothing kept is made of."""
    targets = {c.target for c in changes if c.kind == "set"}
    return bool(targets) and not targets & _feeding(rule)


@lru_cache(maxsize=256)
def _feeding(rule: Rule) -> set[str]:
    """What is kept, and what it is made of."""
    found = _written(rule)
    for line in reversed(rule_lines(rule)):
        if line.target in found:
            found |= {n.id for n in ast.walk(line.value) if isinstance(n, ast.Name)}
    return found


def _two(case: _Case, ref: Candidate, trials: Sequence[Trial]) -> None:
    sieve, single = case.sieve(ref), flat(ref)
    parts = []
    for trial in trials:
        if in_the_step(ref.rule, trial.changes) and not (single and trial.whole):
            pieces = trial.pieces(sieve)
            if pieces is not None:
                parts.append((trial, pieces))
    both = [(one[0].cost + other[0].cost, one, other) for i, one in enumerate(parts[:FIRST]) for other in parts[i + 1 :]]
    both.sort(key=lambda pair: pair[0])
    found = 0
    for _, (one, first), (other, second) in both[: PAIRS if single else PAIRS // 15]:
        if not first.keys().isdisjoint(second):
            continue
        case.told.tried += 1
        if sieve.passes({**first, **second}, {**one.slots, **other.slots}):
            found += case.add(ref, [one, other])
        if found >= FEW:
            return


def _defines(trial: Trial, slot: str) -> bool:
    return any(c.target == slot for c in trial.changes)


def _written(rule: Rule) -> set[str]:
    """The arrays that the rule keeps."""
    lines = {line.target for line in rule_lines(rule)}
    return lines.intersection(array_slots(rule))
