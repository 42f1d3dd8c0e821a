"""The second search, when nothing listed and no plain edit fits: the wide grammar, and unknown factors with their formulas."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from descend.check.formulas import unicode_of
from descend.check.identify import formulas_for
from descend.check.pairs import surprise
from descend.check.places import STEP, slots_for
from descend.check.probes import Probe
from descend.check.sieve import Sieve, flat
from descend.check.solved import FREE, Free, Solution, Solver, free_places
from descend.check.variants import Candidate, Change, quick
from descend.check.wide import Wide, wide_candidate, wide_edits
from descend.errors import DescendError
from descend.rules import Rule

__all__ = ["LOOSE", "Widened", "beside", "formulas_of", "in_one", "widened"]

#: Formulas of one unknown that are compared in full.
FORMULAS = 4
#: What a form costs for each that comes before it.
LATER = 0.4
#: Likely mistakes beside which an unknown is looked for, and places of it.
BASES = 70
#: Forms of a rule whose arrays are looked at as they are: each trial takes longer there.
FEW = 3
PLACES = 26
#: A formula that gives every step to so many digits is one, though a number such as 1e-6 is added somewhere in it.
LOOSE = 1e-5

Fits = Callable[[Candidate], float | None]
Among = Callable[[Rule, Sequence[Change]], bool]


@dataclass
class Widened:
    """What fits, cheapest first, and unknowns that fit every step and are no formula that is known here."""

    found: list[tuple[float, Candidate]] = field(default_factory=list)
    unknown: list[tuple[Candidate, Solution]] = field(default_factory=list)
    tried: int = 0


def widened(
    forms: Sequence[Candidate],
    probes: Sequence[Probe],
    points: Sequence[np.ndarray],
    tolerance: float,
    fits: Fits,
    loosely: bool = False,
    among: Among | None = None,
) -> Widened:
    """All forms of a rule searched; `fits` compares a candidate on every probe. `loosely`: formulas alone are asked again.

    `among` says of changes in a rule whether they are to be looked at.
    """
    result = Widened()
    for place, ref in enumerate(forms if flat(forms[0]) else forms[:FEW]):
        solver = Solver(ref, probes, points, tolerance)
        places = [f for f in free_places(ref.rule) if among is None or among(ref.rule, f.changes)]
        solutions = _solutions(solver, places, result)
        grammar = [e for e in wide_edits(ref.rule) if among is None or among(ref.rule, e.changes)]
        listed = [] if loosely else _listed(ref, grammar, probes, points, tolerance, result)
        edits = [*listed, *formulas_of(solutions)]
        before = len(result.found)
        _keep(ref, edits, place, fits, result)
        if solutions and len(result.found) == before:  # what fits some probes is asked of all
            solver = Solver(ref, probes, points, tolerance, every=True)
            solutions = _solutions(solver, [s.free for s in solutions], result)
            _keep(ref, formulas_of(solutions), place, fits, result)
        result.unknown += [(ref, s) for s in solutions]
    result.found.sort(key=lambda pair: pair[0])
    return result


def _keep(ref: Candidate, edits: Iterable[Wide], place: int, fits: Fits, result: Widened) -> None:
    """Those that fit every probe."""
    for edit in edits:
        made = wide_candidate(ref, edit)
        if made is not None and fits(made) is not None:
            result.found.append((edit.rank + LATER * place, made))


def beside(
    forms: Sequence[Candidate],
    pools: Sequence[Sequence[Candidate]],
    probes: Sequence[Probe],
    points: Sequence[np.ndarray],
    tolerance: float,
    fits: Fits,
) -> Widened:
    """An unknown beside a mistake that is likely: two mistakes, of which one is another number than any that is listed."""
    result = Widened()
    for place, (ref, pool) in enumerate(zip(forms, pools, strict=True)):
        solver = Solver(ref, probes, points, tolerance)
        places = [f for f in free_places(ref.rule) if f.rank <= 1.5 and f.kind != "term"][:PLACES]
        for first in [c for c in pool if not c.whole or ref.whole][: BASES if flat(ref) else BASES // 3]:
            entry = first.entries[0]
            lines = {(c.target, c.occurrence) for c in entry.changes}
            for free in places:
                result.tried += 1
                if lines & {(c.target, c.occurrence) for c in free.changes}:
                    continue
                solution = solver.solve(free, entry.changes, entry.slots)
                if solution is None:
                    continue
                for edit in formulas_of([solution]):
                    made = in_one(ref, [first, wide_candidate(ref, edit)])
                    if made is not None and fits(made) is not None:
                        result.found.append((edit.rank + LATER * place + surprise(first), made))
    result.found.sort(key=lambda pair: pair[0])
    return result


def in_one(ref: Candidate, parts: Sequence[Candidate | None]) -> Candidate | None:
    """Changes that were made one by one in a form, all of them in one candidate; None where that makes no sense."""
    made = [part for part in parts if part is not None]
    if len(made) < len(parts):
        return None
    entries = tuple(e for part in made for e in part.entries)
    changes = tuple(c for e in entries for c in e.changes)
    try:
        rule = quick(ref.rule, changes, {k: v for e in entries for k, v in e.slots.items()})
    except (IndexError, StopIteration, DescendError, SyntaxError):
        return None
    whole = ref.whole or any(part.whole for part in made)
    label = " and ".join(part.label for part in made)
    return Candidate(rule, "mistake", label, ref.fixed, entries, whole, ref.source, True, ref)


def _listed(
    ref: Candidate,
    edits: Sequence[Wide],
    probes: Sequence[Probe],
    points: Sequence[np.ndarray],
    tolerance: float,
    result: Widened,
) -> Iterator[Wide]:
    """Edits of the grammar that take the user's first steps."""
    sieve = Sieve(ref, probes, points, tolerance)
    whole = Sieve(ref, probes, points, tolerance, whole=True) if flat(ref) else sieve
    for edit in edits:
        one = whole if edit.whole else sieve
        made = one.pieces_of(edit.changes)
        result.tried += 1
        if made is not None and one.passes(made, edit.slots):
            yield edit


def _solutions(solver: Solver, places: Sequence[Free], result: Widened) -> list[Solution]:
    """The places whose unknown can be solved for."""
    result.tried += len(places)
    return [s for s in (solver.solve(free) for free in places) if s is not None]


def formulas_of(solutions: Sequence[Solution]) -> Iterator[Wide]:
    """Unknowns as the formulas they may be."""
    for solution in solutions:
        free = solution.free
        value = free.text if free.kind == "value" else ""
        formulas = formulas_for(solution.samples, solution.common, free.neutral, value)
        nothing = {free.text, "1.0" if free.kind == "factor" else "0.0" if free.kind == "term" else ""}
        for text, cost in [f for f in formulas if f[0].strip("()") not in nothing][:FORMULAS]:
            own = free.kind != "value" or free.target == free.text  # what is one number for all arrays
            by_array = 0.0 if solution.common or own else 1.5
            edit = _made(free, text, 2.0 * cost + free.rank + by_array + _misplaced(free, text), not solution.common)
            yield edit


def _misplaced(free: Free, text: str) -> float:
    """A factor that follows the steps alone belongs to the rate, and one that follows β to a mean."""
    timed = "s.step" in text
    return (
        1.5
        if timed and "**" not in text and free.text not in ("lr", "weight_decay") and not free.text.startswith("s.k")
        else 0.0
    )


def _made(free: Free, text: str, rank: float, whole: bool) -> Wide:
    """The unknown replaced by a formula."""
    text = text.replace("size_(p)", "p.size")
    put = f"({text.replace('free_x', f'({free.text})')})"
    changes = [Change(c.target, c.source.replace(FREE, put), c.kind, c.occurrence) for c in free.changes]
    slots, kept = slots_for(" ".join(c.source for c in changes))
    if kept:
        changes.insert(0, Change("start", kept, "before"))
    shown = (free.shown[0], free.shown[1].replace(FREE, put))
    return Wide(free.target, tuple(changes), _name(free, text), rank, whole, slots, shown)


def _name(free: Free, text: str) -> str:
    where = f"in the equation for {unicode_of(free.target)}"
    told = re.sub(r"\bstep\b", "t", unicode_of(text.replace("free_x", free.text)))
    what = unicode_of(free.text)
    told = f"({told})" if free.kind == "term" and " " in told else told
    if free.text == STEP:
        return f"{told} stands where t should wherever steps are counted"
    if free.kind == "value":
        return f"{told} stands where {what} should {where}"
    if free.text == "first_p":
        return f"p is pulled back to where it started, by {told} of the way"
    if free.kind == "term" and what == "1":
        return f"{told}, the same number for all entries, is added {where}"
    if free.kind == "term":
        return f"{told}·{what} is added {where}" if not told.startswith("−") else f"{told[1:]}·{what} is subtracted {where}"
    return f"{what} is multiplied by {told} {where}"
