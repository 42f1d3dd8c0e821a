"""Mistakes told apart by what the user's optimizer keeps: each mean, sum or buffer of its own has an equation of its own.

From the points alone two mistakes are one riddle. Where the arrays an optimizer keeps can be read, each of them is compared
with ours, given the points it visited: what is wrong in one is found without knowing what else is wrong, and the rest is
looked for beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, product
from types import SimpleNamespace
from typing import Any

import numpy as np

from descend.check.names import Mapped
from descend.check.pairs import surprise
from descend.check.places import rule_lines
from descend.check.probes import Probe
from descend.check.sieve import FAILURES, Sieve, Stage, flat, started
from descend.check.solved import Solution, Solver, free_places
from descend.check.variants import Candidate, quick
from descend.check.wide import wide_candidate, wide_edits
from descend.check.widening import formulas_of
from descend.errors import DescendError
from descend.rules import Rule

__all__ = ["Kept", "Told", "kept_of", "told_by_kept", "two_in_the_step"]

#: Forms of a rule, explanations of one array, and combinations of them that are looked at.
FORMS, EACH, COMBINED = 8, 4, 5
#: How many times a change is looked for beside those before.
DEEP = 2
#: Further forms are not looked at where what was found is as likely as this.
LIKELY = 2.5
#: Of two changes in the step the first is one of so many; pairs that are tried where one entry tells enough.
FIRST, PAIRS = 80, 60_000
#: Relative to the largest entry: what rounding may do in a few steps.
NEAR = 1e-9

Fits = Callable[[Candidate], float | None]
#: A slot of the rule and the name of an array that is kept.
Pairs = set[tuple[str, str]]


@dataclass
class Kept:
    """One array's run: its probe, the points visited, and after each step every array of its size that was kept."""

    probe: Probe
    points: np.ndarray
    arrays: dict[str, np.ndarray]


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


def kept_of(talk: Any, mapped: Mapped, probes: Sequence[Probe]) -> list[Kept]:
    """Short runs on one array each, and what is kept in them."""
    from descend.check.checking import probe_request

    asked = [_alone(probes[i], k) for i, k in ((0, 0), (0, 1), (2, 0), (3, 0), (4, 0), (4, 1)) if i < len(probes)]
    found = []
    for probe, answer in zip(asked, talk.run([probe_request(p, mapped, within=True) for p in asked]), strict=True):
        steps = answer.get("within")
        if not steps or "error" in answer:
            continue
        names = [n for n in steps[-1] if all(len(s.get(n, ())) == len(steps[-1][n]) for s in steps)]
        arrays = {n: np.array([s[n] for s in steps]) for n in names}
        found.append(Kept(probe, np.array(answer["points"], dtype=np.float64), arrays))
    return _telling(found)


def _alone(probe: Probe, k: int) -> Probe:
    name = f"{probe.name}, array {k + 1}"
    steps = [[g[k]] for g in probe.gradients[:12]]
    changes = {t: c for t, c in probe.changes.items() if t < 12}
    return replace(probe, name=name, start=probe.start[k : k + 1], gradients=steps, changes=changes)


def _telling(found: Sequence[Kept]) -> list[Kept]:
    """Without arrays that are no state: parameters, gradients, what never changes, and copies of others."""
    good: list[str] = []
    for name in dict.fromkeys(n for k in found for n in k.arrays):
        own = [k for k in found if name in k.arrays]
        if all(_nothing_new(k, k.arrays[name]) for k in own):
            continue
        if not any(
            all(o in k.arrays and np.array_equal(k.arrays[name], k.arrays[o], equal_nan=True) for k in own) for o in good
        ):
            good.append(name)
    return [Kept(k.probe, k.points, {n: x for n, x in k.arrays.items() if n in good}) for k in found]


def _nothing_new(kept: Kept, array: np.ndarray) -> bool:
    g = np.array([Probe.joined(step) for step in kept.probe.gradients])
    still = np.broadcast_to(array[:1], array.shape)
    return any(np.array_equal(array, x, equal_nan=True) for x in (still, g, -g, kept.points[1:], kept.points[:-1]))


class Watch(Sieve):
    """One form of a rule beside what a user's optimizer kept. The point is set to the user's own before each step."""

    def __init__(self, ref: Candidate, kept: Sequence[Kept], tolerance: float) -> None:
        self.kept, self.closeness = kept, max(NEAR, 10 * tolerance)
        super().__init__(ref, [k.probe for k in kept], [k.points for k in kept], whole=True)
        self.slots = [n for n, s in ref.rule.slots.items() if s.power_of is None and not s.counts and s.shape != "scalar"]
        self.names = list(dict.fromkeys(n for k in kept for n in k.arrays))

    def _stages(self, probes: Sequence[Probe], points: Sequence[np.ndarray]) -> Iterator[Stage]:
        for probe, visited in zip(probes, points, strict=True):
            yield self._stage(probe, visited, None if self.ref.rule.sums else 0, slice(None), len(visited))

    @cached_property
    def _sizes(self) -> list[dict[str, float]]:
        """How far off each array may be."""
        with np.errstate(all="ignore"):
            return [
                {
                    n: self.closeness * float(np.abs(np.where(np.isfinite(x), x, 0.0)).max()) + 1e-300
                    for n, x in k.arrays.items()
                }
                for k in self.kept
            ]

    def same(self, changes: Sequence[Any], slots: Mapping[str, Any], pairs: Pairs) -> Pairs:
        """Of these pairs of a slot and a kept array those that are the same in every step, with these changes made."""
        made = self.pieces_of(changes)
        if made is None:
            return set()
        left: Pairs = set(pairs)
        compared: Pairs = set()
        try:
            codes = self.codes(made)
            with np.errstate(all="ignore"):
                for stage, kept, size in zip(self.stages, self.kept, self._sizes, strict=True):
                    self._watched(stage, kept, size, codes, slots, left, compared)
                    if not left:
                        break
        except FAILURES:
            return set()
        return left & compared

    def _watched(
        self,
        stage: Stage,
        kept: Kept,
        size: Mapping[str, float],
        codes: Sequence[Any],
        slots: Mapping[str, Any],
        left: Pairs,
        compared: Pairs,
    ) -> None:
        """Take away the pairs that differ in a step, and note those that were there to compare."""
        s = SimpleNamespace(**stage.slots)
        for name, slot in slots.items():
            setattr(s, name, started(slot, stage))
        lost = [name for name in stage.lost if name not in slots]
        space: dict[str, Any] = {"s": s}
        p = stage.p
        for t, (hyper, g, reached) in enumerate(stage.steps):
            space.update(hyper)
            space["g"], space["p"] = g, p
            for code in codes:
                exec(code, self.scope, space)  # our own source, never a user's text
            for pair in list(left):
                slot, name = pair
                if name not in kept.arrays or slot in stage.lost:
                    continue
                compared.add(pair)
                value, wanted = np.ravel(getattr(s, slot, np.nan)), kept.arrays[name][t]
                if value.shape != wanted.shape or not _near(value, wanted, size[name]):
                    left.discard(pair)
            if not left:
                return
            p = reached
            for name in lost:
                setattr(s, name, 0.0)


def _near(a: np.ndarray, b: np.ndarray, size: float) -> bool:
    return bool((np.abs(a - b) <= size).all()) or np.array_equal(a, b, equal_nan=True)


@dataclass
class Trial:
    """A change that may be made, cheap to try."""

    changes: tuple[Any, ...]
    slots: Mapping[str, Any]
    cost: float
    make: Callable[[], Candidate | None]
    #: Needs arrays as they are.
    whole: bool = False


def _trials(ref: Candidate, listed: Sequence[Candidate]) -> list[Trial]:
    """Every change that is known or one edit away, and those of the wide grammar."""
    found = [
        Trial(
            tuple(c for m in one.entries for c in m.changes),
            {k: v for m in one.entries for k, v in m.slots.items()},
            surprise(one),
            lambda one=one: one,  # type: ignore[misc]
            one.whole,
        )
        for one in listed
    ]
    found += [
        Trial(
            edit.changes,
            edit.slots,
            float(np.log(max(edit.rank, 0.3) / 0.3)),
            lambda edit=edit: wide_candidate(ref, edit),  # type: ignore[misc]
            edit.whole,
        )
        for edit in wide_edits(ref.rule)
    ]
    return sorted(found, key=lambda t: t.cost)


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
    best = -1
    for watch in _nearest([Watch(ref, kept, tolerance) for ref in forms[:FORMS]]):
        ref = watch.ref
        trials = _trials(ref, pool(ref))
        told.tried += len(trials)
        readings = _readings(watch, trials)
        chosen, right, open_ = readings[0]
        if len(right) > best:
            best = len(right)
            changed = [s for s, _ in right if any(_defines(t, s) for t in chosen)]
            told.right, told.open = frozenset(s for s, _ in right if s not in changed), tuple(open_)
            told.wrong = [c for t in chosen if (c := t.make()) is not None]
        firsts = [r[0] for r in readings if r[0]]
        if firsts:
            _beside(ref, firsts, trials, probes, points, tolerance, fits, told)
        elif {s for s, _ in right} >= _written(ref.rule):
            told.steps.append((ref, trials))
        if told.found and min(cost for cost, _ in told.found) <= LIKELY:
            break
    told.found.sort(key=lambda pair: pair[0])
    return told


def _nearest(watches: Sequence[Watch]) -> list[Watch]:
    """The forms of which most is kept as they have it."""
    counts = [len({slot for slot, _ in w.same((), {}, {(s, n) for s in w.slots for n in w.names})}) for w in watches]
    return [w for w, count in zip(watches, counts, strict=True) if count == max(counts)]


def _defines(trial: Trial, slot: str) -> bool:
    return any(c.target == slot for c in trial.changes)


#: Changes that make kept arrays what they are; slots and arrays that agree with them; slots that agree with none.
Reading = tuple[list[Trial], Pairs, list[str]]


def _readings(watch: Watch, trials: Sequence[Trial]) -> list[Reading]:
    """What the kept arrays say, array by array: what is wrong in one is taken for granted where others are made of it."""
    every = {(slot, name) for slot in watch.slots for name in watch.names}
    done: list[Reading] = []
    level: list[list[Trial]] = [[]]
    for depth in range(DEEP + 1):
        following = []
        for chosen in level:
            changes, slots = _together(chosen)
            right = watch.same(changes, slots, every)
            known, taken = {s for s, _ in right}, {n for _, n in right}
            left = {(s, n) for s, n in every if s not in known and n not in taken}
            explained = _explained(watch, trials, left, chosen) if left and depth < DEEP else {}
            if not explained:
                open_ = {s for s, _ in left}
                done.append((chosen, right, [s for s in watch.slots if s in open_]))
            following += [[*chosen, *more] for more in _combined(list(explained.values())) if _apart([*chosen, *more])]
        level = sorted(following, key=lambda ts: sum(t.cost for t in ts))[:COMBINED]
    return sorted(done, key=lambda r: (-len(r[1]), sum(t.cost for t in r[0])))


def _combined(explained: Sequence[Sequence[Trial]]) -> Iterator[list[Trial]]:
    """One change that explains all, or one for each."""
    if not explained:
        return
    yield from ([t] for t in explained[0] if len(explained) > 1 and all(any(t is o for o in own) for own in explained[1:]))
    for more in islice(product(*explained), EACH * COMBINED):
        yield list({id(t): t for t in more}.values())


def _explained(watch: Watch, trials: Sequence[Trial], pairs: Pairs, chosen: Sequence[Trial]) -> dict[str, list[Trial]]:
    """For each slot that is not as it should be the likeliest changes that make it what was kept, beside those chosen."""
    found: dict[str, list[Trial]] = {}
    left = set(pairs)
    changes, slots = _together(chosen)
    for trial in trials:
        if chosen and not _apart([*chosen, trial]):
            continue
        for slot, _ in watch.same([*changes, *trial.changes], {**slots, **trial.slots}, left):
            if trial not in (own := found.setdefault(slot, [])):
                own.append(trial)
            if len(own) >= EACH:
                left = {pair for pair in left if pair[0] != slot}
        if not left:
            break
    return found


def _beside(
    ref: Candidate,
    firsts: Sequence[list[Trial]],
    trials: Sequence[Trial],
    probes: Sequence[Probe],
    points: Sequence[np.ndarray],
    tolerance: float,
    fits: Fits,
    told: Told,
) -> None:
    """What the kept arrays show alone, then with one change more, then with a number that is solved for."""
    sieve = Sieve(ref, probes, points, tolerance, whole=True)
    for first in firsts[:COMBINED]:
        changes, slots = _together(first)
        made = _candidate(ref, first)
        if made is not None and fits(made) is not None:
            told.found.append((sum(t.cost for t in first), made))
            return
        before = len(told.found)
        lines = {(c.target, c.occurrence) for c in changes if c.kind == "set"}
        for trial in trials:
            if lines & {(c.target, c.occurrence) for c in trial.changes if c.kind == "set"}:
                continue
            told.tried += 1
            pieces = sieve.pieces_of([*changes, *trial.changes])
            if pieces is None or not sieve.passes(pieces, {**slots, **trial.slots}):
                continue
            made = _candidate(ref, [*first, trial])
            if made is not None and fits(made) is not None:
                told.found.append((sum(t.cost for t in first) + trial.cost, made))
                if len(told.found) >= before + 4:
                    return
        if len(told.found) == before:
            _solved_beside(ref, first, probes, points, tolerance, fits, told)
        if len(told.found) > before:
            return


def _solved_beside(
    ref: Candidate,
    first: Sequence[Trial],
    probes: Sequence[Probe],
    points: Sequence[np.ndarray],
    tolerance: float,
    fits: Fits,
    told: Told,
) -> None:
    """A number beside what the kept arrays show."""
    changes, slots = _together(first)
    lines = {(c.target, c.occurrence) for c in changes if c.kind == "set"}
    solver = Solver(ref, probes, points, tolerance)
    for free in free_places(ref.rule):
        if lines & {(c.target, c.occurrence) for c in free.changes if c.kind == "set"}:
            continue
        told.tried += 1
        solution: Solution | None = solver.solve(free, changes, slots)
        for edit in formulas_of([solution]) if solution is not None else ():
            trial = Trial(edit.changes, edit.slots, edit.rank, lambda edit=edit: wide_candidate(ref, edit))  # type: ignore[misc]
            made = _candidate(ref, [*first, trial])
            if made is not None and fits(made) is not None:
                told.found.append((sum(t.cost for t in first) + edit.rank, made))


def _written(rule: Rule) -> set[str]:
    """The arrays that the rule keeps."""
    lines = {line.target for line in rule_lines(rule)}
    return {n for n, s in rule.slots.items() if n in lines and s.shape != "scalar" and not s.counts and not s.power_of}


def two_in_the_step(told: Told, probes: Sequence[Probe], points: Sequence[np.ndarray], tolerance: float, fits: Fits) -> None:
    """All that is kept is right: two changes are looked for in the lines that nothing kept is made of."""
    for ref, trials in told.steps:
        if not told.found:
            _two(ref, trials, probes, points, tolerance, fits, told)


def _two(
    ref: Candidate,
    trials: Sequence[Trial],
    probes: Sequence[Probe],
    points: Sequence[np.ndarray],
    tolerance: float,
    fits: Fits,
    told: Told,
) -> None:
    kept = _written(ref.rule)
    feeding: set[str] = set(kept)
    for line in reversed(rule_lines(ref.rule)):
        if line.target in feeding:
            feeding |= {n.id for n in ast.walk(line.value) if isinstance(n, ast.Name)}
    single = flat(ref)
    sieve = Sieve(ref, probes, points, tolerance)
    parts: list[tuple[Trial, Any]] = []
    for trial in trials:
        targets = {c.target for c in trial.changes if c.kind == "set"}
        if not targets or targets & feeding or (single and trial.whole):
            continue
        pieces = sieve.pieces_of(trial.changes)
        if pieces is not None:
            parts.append((trial, pieces))
    count = 0
    for i, (one, first) in enumerate(parts[:FIRST]):
        for other, second in parts[i + 1 :]:
            if count > (PAIRS if single else PAIRS // 20):
                return
            if not first.keys().isdisjoint(second):
                continue
            count += 1
            if sieve.passes({**first, **second}, {**one.slots, **other.slots}):
                made = _candidate(ref, [one, other])
                if made is not None and fits(made) is not None:
                    told.found.append((one.cost + other.cost, made))
                    if len(told.found) >= 4:
                        return
    told.tried += count


def _apart(trials: Sequence[Trial]) -> list[Trial]:
    """The same change once; nothing where two of them set one line."""
    once = list({id(t): t for t in trials}.values())
    lines = [(c.target, c.occurrence) for t in once for c in t.changes if c.kind == "set"]
    return once if len(lines) == len(set(lines)) else []


def _together(trials: Sequence[Trial]) -> tuple[list[Any], dict[str, Any]]:
    return [c for t in trials for c in t.changes], {k: v for t in trials for k, v in t.slots.items()}


def _candidate(ref: Candidate, trials: Sequence[Trial]) -> Candidate | None:
    """All of them in one candidate."""
    parts = [t.make() for t in trials]
    if any(part is None for part in parts):
        return None
    entries = tuple(e for part in parts if part is not None for e in part.entries)
    whole = ref.whole or any(part.whole for part in parts if part is not None)
    changes = tuple(c for e in entries for c in e.changes)
    try:
        made: Rule = quick(ref.rule, changes, {k: v for e in entries for k, v in e.slots.items()})
    except (IndexError, StopIteration, DescendError, SyntaxError):
        return None
    label = " and ".join(e.name for e in entries)
    return Candidate(made, "mistake", label, ref.fixed, entries, whole, ref.source, True, ref)
