"""The arrays a user's optimizer keeps: which of them are as a form of the rule has them, and why others are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, product
from types import SimpleNamespace
from typing import Any

import numpy as np

from descend.check.names import Mapped
from descend.check.pairs import surprise
from descend.check.places import array_slots
from descend.check.probes import Probe
from descend.check.sieve import FAILURES, Pieces, Sieve, Stage, started
from descend.check.variants import Candidate
from descend.check.wide import Wide, wide_candidate, wide_edits

__all__ = [
    "Kept",
    "Reading",
    "Trial",
    "Watch",
    "apart",
    "changes_together",
    "keeps_what_is_kept",
    "kept_of",
    "nearest",
    "pieces_together",
    "readings_of",
    "slots_together",
    "trial_of",
    "trials_of",
]

#: Explanations of one array, and combinations of them: they may do different things to the step.
EACH, COMBINED = 10, 40
#: How many times a change is looked for beside those before.
DEEP = 2
#: Relative to the largest entry: what rounding may do in a few steps.
NEAR = 1e-9
#: A slot of the rule and the name of an array that is kept.
Pairs = set[tuple[str, str]]


@dataclass
class Kept:
    """One array's run: its probe, the points visited, and after each step every array of its size that was kept."""

    probe: Probe
    points: np.ndarray
    arrays: dict[str, np.ndarray]


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
        self.slots = array_slots(ref.rule)
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

    def same(self, trials: Sequence[Trial], pairs: Pairs) -> Pairs:
        """Of these pairs of a slot and a kept array those that are the same in every step, with these changes made."""
        made, slots = pieces_together(self, trials), slots_together(trials)
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
        here = {(slot, name) for slot, name in left if name in kept.arrays and slot not in stage.lost}
        if not here:
            return
        compared |= here
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
            for pair in list(here):
                slot, name = pair
                value, wanted = np.ravel(getattr(s, slot, np.nan)), kept.arrays[name][t]
                if value.shape != wanted.shape or not _near(value, wanted, size[name]):
                    here.discard(pair)
                    left.discard(pair)
            if not here:
                return
            p = reached
            for name in lost:
                setattr(s, name, 0.0)


def _near(a: np.ndarray, b: np.ndarray, size: float) -> bool:
    near = np.abs(a - b) <= size
    return bool(near.all()) or bool((near | (a == b) | ((a != a) & (b != b))).all())


@dataclass
class Trial:
    """A change that may be made, cheap to try."""

    changes: tuple[Any, ...]
    slots: Mapping[str, Any]
    cost: float
    make: Callable[[], Candidate | None]
    #: Needs arrays as they are.
    whole: bool = False
    _pieces: Any = ()

    def pieces(self, sieve: Sieve) -> Pieces | None:
        """The lines it puts in place of those of its form."""
        if self._pieces == ():
            self._pieces = sieve.pieces_of(self.changes)
        found: Pieces | None = self._pieces
        return found


def pieces_together(sieve: Sieve, trials: Sequence[Trial]) -> Pieces | None:
    """The lines that several changes put in place of those of their form; None where they cannot be made."""
    found: dict[int, str] = {}
    for trial in trials:
        own = trial.pieces(sieve)
        if own is None:
            return None
        if not found.keys().isdisjoint(own):
            return sieve.pieces_of(changes_together(trials))
        found |= own
    return found


def trials_of(ref: Candidate, listed: Sequence[Candidate], wide: bool = True) -> list[Trial]:
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
    found += [trial_of(ref, edit) for edit in wide_edits(ref.rule)] if wide else []
    return sorted(found, key=lambda t: t.cost)


def trial_of(ref: Candidate, edit: Wide) -> Trial:
    """An edit of the wide grammar as a change that may be made."""
    cost = float(np.log(max(edit.rank, 0.3) / 0.3))
    return Trial(edit.changes, edit.slots, cost, lambda: wide_candidate(ref, edit), edit.whole)


def nearest(watches: Sequence[Watch]) -> list[Watch]:
    """The forms of which most is kept as they have it."""
    counts = [len({slot for slot, _ in w.same((), {(s, n) for s in w.slots for n in w.names})}) for w in watches]
    return [w for w, count in zip(watches, counts, strict=True) if count == max(counts)]


def keeps_what_is_kept(candidate: Candidate, kept: Sequence[Kept]) -> bool:
    """Whether arrays that are as the form has them are so with the mistakes of a candidate as well, and some are."""
    if candidate.base is None:
        return False
    watch = Watch(candidate.base, kept, 0.0)
    every = {(slot, name) for slot in watch.slots for name in watch.names}
    with_it = watch.same(trials_of(candidate.base, [candidate], wide=False), every)
    return bool(with_it) and with_it >= watch.same([], every)


#: Changes that make kept arrays what they are; slots and arrays that agree with them; slots that agree with none.
Reading = tuple[list[Trial], Pairs, list[str]]


def readings_of(watch: Watch, trials: Sequence[Trial]) -> list[Reading]:
    """What the kept arrays say, array by array: what is wrong in one is taken for granted where others are made of it.

    Of several explanations of one array the likeliest is: they make the same array.
    """
    every = {(slot, name) for slot in watch.slots for name in watch.names}
    level: list[list[Trial]] = [[]]
    for _ in range(DEEP):
        explained = _explained(watch, trials, _left(every, watch.same(level[0], every)), level[0])
        following = [[*chosen, *more] for chosen in level for more in _combined(list(explained.values()))]
        following = [chosen for chosen in following if apart(chosen)]
        if not following:
            break
        level = sorted(following, key=lambda ts: sum(t.cost for t in ts))[:COMBINED]
    found = []
    for chosen in level:
        right = watch.same(chosen, every)
        open_ = {slot for slot, _ in _left(every, right)}
        found.append((chosen, right, [s for s in watch.slots if s in open_]))
    return sorted(found, key=lambda r: -len(r[1]))


def _left(every: Pairs, right: Pairs) -> Pairs:
    """The pairs of slots and arrays that agree with none."""
    known, taken = {s for s, _ in right}, {n for _, n in right}
    return {(s, n) for s, n in every if s not in known and n not in taken}


def _combined(explained: Sequence[Sequence[Trial]]) -> Iterator[list[Trial]]:
    """One change that explains all, or one for each."""
    if not explained:
        return
    yield from ([t] for t in explained[0] if len(explained) > 1 and all(any(t is o for o in own) for own in explained[1:]))
    for more in islice(product(*explained), COMBINED):
        yield list({id(t): t for t in more}.values())


def _explained(watch: Watch, trials: Sequence[Trial], pairs: Pairs, chosen: Sequence[Trial]) -> dict[str, list[Trial]]:
    """For each slot that is not as it should be the likeliest changes that make it what was kept, beside those chosen."""
    found: dict[str, list[Trial]] = {}
    left = set(pairs)
    for trial in trials:
        if chosen and not apart([*chosen, trial]):
            continue
        for slot, _ in watch.same([*chosen, trial], left):
            if trial not in (own := found.setdefault(slot, [])):
                own.append(trial)
            if len(own) >= EACH:
                left = {pair for pair in left if pair[0] != slot}
        if not left:
            break
    return found


def apart(trials: Sequence[Trial]) -> list[Trial]:
    """The same change once; nothing where two of them set one line."""
    once = list({id(t): t for t in trials}.values())
    lines = [(c.target, c.occurrence) for t in once for c in t.changes if c.kind == "set"]
    return once if len(lines) == len(set(lines)) else []


def changes_together(trials: Sequence[Trial]) -> list[Any]:
    """All their changes."""
    return [c for t in trials for c in t.changes]


def slots_together(trials: Sequence[Trial]) -> dict[str, Any]:
    """All their slots."""
    return {k: v for t in trials for k, v in t.slots.items()}
