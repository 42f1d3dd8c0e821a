"""The verdict: which candidate visits the very points the user's optimizer visits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from descend.check.by_state import Told, in_the_step, told_by_kept, two_in_the_step
from descend.check.dialects import references
from descend.check.edits import doubled_candidates, edited_candidates
from descend.check.kept import Kept
from descend.check.mistake import Mistake
from descend.check.mistakes import mistakes_of
from descend.check.names import Mapped
from descend.check.pairs import LIMITS, likely_pairs, surprise
from descend.check.probes import Probe
from descend.check.settled import settled
from descend.check.sieve import Sieve, flat
from descend.check.solved import Solution
from descend.check.variants import Candidate, agrees, quick, with_decay
from descend.check.widening import LOOSE, beside, widened
from descend.check.writings import writings
from descend.errors import DescendError
from descend.rules import Rule

__all__ = ["EXACT", "SINGLE", "Match", "judge", "mistake_candidates", "mistaken"]

#: Equal: the largest difference ÷ the largest displacement.
EXACT = 1e-12
#: Equal but for single precision somewhere on the way.
SINGLE = 2e-5
#: Equal but for Newton–Schulz in bfloat16.
HALF = 0.03
#: Forms of a rule in which a value is looked for that is written into the code.
HELD = 4
#: Forms of a rule that sums over all arrays in which edits are tried: each trial takes a hundred times as long there.
COSTLY = 3
#: Pairs compared in full after they have passed the sieve.
SIFTED = 400
#: Values that are written into code where no argument sets them.
HIDDEN: dict[str, tuple[float, ...]] = {
    "eps": (1e-8, 1e-7, 1e-6, 1e-10, 1e-5, 1e-12, 1e-3, 0.0),
    "beta2": (0.999, 0.99, 0.98, 0.95),
    "beta1": (0.9, 0.95),
    "momentum": (0.9, 0.99, 0.95, 0.5),
    "rho": (0.99, 0.9, 0.95),
    "v0": (0.0, 0.1),
    "lr": (1e-3, 1e-2, 0.1, 1.0),
    "weight_decay": (0.0, 0.01, 0.1, 1e-4),
}

Points = Sequence[np.ndarray]


@dataclass
class Match:
    """What fits, and what does not."""

    #: "right", "dialect", "wrong", or "" where nothing fits.
    kind: str
    candidates: list[Candidate] = field(default_factory=list)
    #: The largest difference of the first candidate over all probes.
    difference: float = 0.0
    #: Candidates that were compared and differ.
    excluded: int = 0
    #: Equal only to single precision.
    single: bool = False
    #: Equal but for half precision.
    half: bool = False
    #: Values found to be written into the code.
    hidden: dict[str, float] = field(default_factory=dict)
    #: Unknown numbers that explain every step where no formula does: the form and the solution.
    unknown: list[tuple[Candidate, Solution]] = field(default_factory=list)
    #: What the arrays say that it keeps, where nothing fits.
    told: Told = field(default_factory=Told)


@np.errstate(all="ignore")
def judge(
    rule: Rule,
    mapped: Mapped,
    probes: Sequence[Probe],
    points: Points,
    adapter: str = "",
    kept: Callable[[], Sequence[Kept]] = tuple,
    *,
    pairs: bool = True,
) -> Match:
    """Compare with the reference, its dialects, the catalogue, what was kept, and pairs of changes, in this order.

    `points` are those the user's optimizer visited on each probe; `adapter` is how it was driven; `kept` gives the arrays it
    keeps, where they are asked for. Without `pairs`, two changes are found where what is kept shows one of them.
    """
    decays = "weight_decay" in mapped.ours
    known = [r for r in references(rule, decays) if not r.only or adapter in r.only]
    refs = [r for r in known if not r.without or r.without not in mapped.ours]
    tried = 0
    unknown: list[tuple[Candidate, Solution]] = []
    told = Told()

    def kept_says(tolerance: float) -> Match:
        nonlocal told
        told = _told(rule, mapped, refs, probes, points, tolerance, kept())
        match = _chosen(told.found, told.tried)
        match.told = told
        return match

    for tolerance in (EXACT, SINGLE):
        for hidden in _hidden(rule, mapped):
            for candidate in refs:
                tried += 1
                held = _holding(candidate, hidden)
                difference = _fits(held, probes, points, tolerance)
                if difference is not None:
                    kind = "right" if held.kind == "reference" else "dialect"
                    return Match(kind, [held], difference, tried - 1, single=tolerance > EXACT, hidden=hidden)
        found = _judge_mistakes(rule, mapped, refs, probes, points, tolerance, kept_says)
        if found.kind:
            found.single = tolerance > EXACT
            found.excluded += tried
            return found
        tried += found.excluded
        unknown = found.unknown or unknown
    single = _loose(rule, points)
    near = SINGLE if single else EXACT
    two_in_the_step(told, probes, points, near, lambda c: _fits(c, probes, points, near))
    if told.found:
        found = _chosen(told.found, told.tried)
        found.single, found.excluded = single, found.excluded + tried
        return found
    found = _judge_pairs(rule, mapped, refs, probes, points, near, anywhere=not told.steps) if pairs else Match("")
    if found.kind:
        found.single, found.excluded = single, found.excluded + tried
        return found
    tried += found.excluded
    for candidate in refs if rule.name == "muon" else ():
        difference = _fits(candidate, probes, points, HALF)
        if difference is not None:
            return Match("dialect", [candidate], difference, tried, half=True)
    return Match("", [], excluded=tried, unknown=unknown, told=told)


def _told(
    rule: Rule,
    mapped: Mapped,
    refs: Sequence[Candidate],
    probes: Sequence[Probe],
    points: Points,
    tolerance: float,
    kept: Sequence[Kept],
) -> Told:
    """What the arrays say that the user's optimizer keeps."""
    decays = "weight_decay" in mapped.ours

    def pool(ref: Candidate) -> list[Candidate]:
        return [*mistake_candidates(rule, mapped, ref), *edited_candidates(ref)]

    forms = [*refs[: 1 + decays], *writings(rule, decays), *refs[1 + decays :]]
    return told_by_kept(forms, pool, kept, probes, points, tolerance, lambda c: _fits(c, probes, points, tolerance))


def _chosen(found: Sequence[tuple[float, Candidate]], tried: int) -> Match:
    """The likeliest, and those that are about as likely."""
    kept = [c for cost, c in found if cost <= found[0][0] + 1.0][:3]
    return Match("wrong" if kept else "", kept, 0.0, tried - len(kept))


def _judge_mistakes(
    rule: Rule,
    mapped: Mapped,
    refs: Sequence[Candidate],
    probes: Sequence[Probe],
    points: Points,
    tolerance: float,
    kept_says: Callable[[float], Match],
) -> Match:
    tried = 0
    for hidden in _hidden(rule, mapped, ("eps", "weight_decay")):
        for ref in refs:
            pool = mistake_candidates(rule, mapped, ref)
            tried += len(pool)
            fitting = []
            for candidate in pool:
                held = _holding(candidate, hidden)
                difference = _fits(held, probes, points, tolerance)
                if difference is not None:
                    fitting.append((difference, held))
            if fitting:
                fitting.sort(key=lambda pair: pair[0] > EXACT)
                return Match("wrong", [c for _, c in fitting], fitting[0][0], tried - len(fitting), hidden=hidden)
    if (tolerance > EXACT) is not _loose(rule, points):  # one tolerance fits how it calculates
        return _judge_wide(rule, mapped, refs, probes, points, LOOSE, True) if tolerance > EXACT else Match("", excluded=tried)
    found = _judge_edits(rule, mapped, refs, probes, points, tolerance)
    tried += found.excluded
    if not found.kind:
        found = kept_says(tolerance)
        tried += found.excluded
    if not found.kind:
        found = _judge_wide(rule, mapped, refs, probes, points, tolerance, step=bool(found.told.steps))
        tried += found.excluded
    found.excluded = tried
    return found


def _loose(rule: Rule, points: Points) -> bool:
    """Whether all points after the start are numbers of single precision, or ε of 1e-7 is added here and a floor there."""
    if rule.name == "muon":
        return True
    with np.errstate(all="ignore"):
        return all(np.array_equal(x[1:].astype(np.float32), x[1:], equal_nan=True) for x in points)


def _judge_edits(
    rule: Rule, mapped: Mapped, refs: Sequence[Candidate], probes: Sequence[Probe], points: Points, tolerance: float
) -> Match:
    """Rules with one small edit; of those that fit the most likely, and a few others that are the same."""
    tried = 0
    plain = [*(settled(r, frozenset(mapped.ours)) for r in refs), *writings(rule, "weight_decay" in mapped.ours)]
    usual = plain[:COSTLY] if rule.sums else plain
    for hidden in _hidden(rule, mapped) if not rule.sums else ({},):
        for ref in refs[:HELD] if hidden else usual:
            held = _holding(ref, hidden)
            listed = mistake_candidates(rule, mapped, ref) if hidden or ref not in plain[: len(refs)] else []
            pool = [*listed, *edited_candidates(ref)]
            tried += len(pool)
            fitting = []
            for candidate in _sifted(held, pool, probes, points, tolerance):
                tight = _holding(candidate, hidden)
                if (difference := _fits(tight, probes, points, tolerance)) is not None:
                    fitting.append((difference, tight))
            if fitting:
                best = min(surprise(c) for _, c in fitting)
                kept = [f for f in fitting if surprise(f[1]) == best][:4]
                return Match("wrong", [c for _, c in kept], kept[0][0], tried - len(kept), hidden=hidden)
    return Match("", excluded=tried)


def _judge_wide(
    rule: Rule,
    mapped: Mapped,
    refs: Sequence[Candidate],
    probes: Sequence[Probe],
    points: Points,
    tolerance: float,
    loosely: bool = False,
    *,
    step: bool = False,
) -> Match:
    """Rules with one edit of the wide grammar, or with another number in one place; `loosely`, to five digits, the latter.

    `step`: in the lines of which nothing kept is made.
    """
    forms = [*(settled(r, frozenset(mapped.ours)) for r in refs[:8]), *writings(rule, "weight_decay" in mapped.ours)]
    forms = forms[:5] if loosely else forms
    near = EXACT if loosely else tolerance
    among = in_the_step if step else None
    result = widened(forms, probes, points, near, lambda c: _fits(c, probes, points, tolerance), loosely, among)
    match = _chosen(result.found, result.tried)
    match.unknown = [] if match.kind else result.unknown
    return match


def _sifted(
    ref: Candidate, pool: Sequence[Candidate], probes: Sequence[Probe], points: Sequence[np.ndarray], tolerance: float
) -> Iterator[Candidate]:
    """Those of a pool that take the user's first steps."""
    sieve = Sieve(ref, probes, points, tolerance)
    wide = Sieve(ref, probes, points, tolerance, whole=True) if any(c.whole and not ref.whole for c in pool) else sieve
    for candidate in pool:
        changes = tuple(c for m in candidate.entries for c in m.changes)
        slots = {k: v for m in candidate.entries for k, v in m.slots.items()}
        one = wide if candidate.whole else sieve
        made = one.pieces_of(changes)
        if made is not None and one.passes(made, slots):
            yield candidate


def _judge_pairs(
    rule: Rule,
    mapped: Mapped,
    refs: Sequence[Candidate],
    probes: Sequence[Probe],
    points: Points,
    tolerance: float,
    anywhere: bool,
) -> Match:
    """Two changes at once, of the catalogue or outside it, in the commonest forms of the rule and its other writings.

    Not `anywhere` where what is kept has told that all of it is right, and two changes in the step were looked for.
    """
    tried = 0
    known: dict[str, set[Any]] = {}
    decays = "weight_decay" in mapped.ours
    usual = refs[: 1 + decays]
    count = 0
    forms = [*usual, *refs[1 + decays : 6], *writings(rule, decays)]
    for ref in (forms if flat(refs[0]) else forms[:3]) if anywhere else ():
        pool = [*mistake_candidates(rule, mapped, ref), *edited_candidates(ref)]
        tried += min(len(pool) * (len(pool) - 1) // 2, LIMITS[not flat(ref)]) if ref in usual else 0
        found: list[Candidate] = []
        runs = known.setdefault(ref.label, set())
        for a, b in likely_pairs(ref, pool, probes, points, runs, tolerance, ref in usual or ref not in refs):
            count += 1
            made = mistaken(ref, (*a.entries, *b.entries))
            if made is not None and _fits(made, probes, points, tolerance) is not None:
                found.append(made)
            if len(found) >= 4 or count > SIFTED:
                break
        count = max(0, count - SIFTED // 2)  # each form has its share, and what others have left
        if found:
            found.sort(key=surprise)
            best = surprise(found[0])
            kept = [c for c in found if surprise(c) <= best + 1.0]
            return Match("wrong", kept, 0.0, tried - len(kept))
    for ref in refs[: 1 + decays]:
        doubled = [] if ref.rule.sums or ref.rule.whole_array else doubled_candidates(ref)
        tried += len(doubled)
        fitting = [
            c for c in _sifted(ref, doubled, probes, points, tolerance) if _fits(c, probes, points, tolerance) is not None
        ]
        if fitting:
            kept = sorted(fitting, key=surprise)[:4]
            return Match("wrong", kept, 0.0, tried - len(kept))
    return _judge_beside(rule, mapped, refs[: 1 + decays], probes, points, tolerance, tried)


def _judge_beside(
    rule: Rule, mapped: Mapped, refs: Sequence[Candidate], probes: Sequence[Probe], points: Points, tolerance: float, tried: int
) -> Match:
    """A likely mistake and another number than should be in some place."""
    pools = [sorted([*mistake_candidates(rule, mapped, r), *edited_candidates(r)], key=surprise) for r in refs]
    result = beside(refs, pools, probes, points, tolerance, lambda c: _fits(c, probes, points, tolerance))
    return _chosen(result.found, tried + result.tried)


def _fits(candidate: Candidate, probes: Sequence[Probe], points: Points, tolerance: float) -> float | None:
    """The largest difference over all probes, or None as soon as one is too large."""
    if candidate.lenient and not np.isfinite(points[0]).all():
        return None  # leniency is for a gradient of zero, of which the first probe has none
    worst = 0.0
    for probe, visited in zip(probes, points, strict=True):
        try:
            difference = agrees(candidate, probe, visited, tolerance)
        except (NameError, AttributeError, TypeError, ValueError, IndexError, ArithmeticError):
            return None  # a mistake in a line whose quantities this dialect does not define, or an edit that makes no sense
        if not difference <= tolerance:
            return None
        worst = max(worst, difference)
    return worst


def _hidden(rule: Rule, mapped: Mapped, only: tuple[str, ...] | None = None) -> Iterator[dict[str, float]]:
    """Values that the user's code may hold where it takes no argument for them: first ours, then others, one at a time."""
    yield {}
    free = [n for n in rule.hyperparameters if n in HIDDEN and n not in mapped.ours and (only is None or n in only)]
    for name in free:
        for value in HIDDEN[name]:
            if value != rule.hyperparameters[name].default:
                yield {name: value}
    if only is None and "eps" in free:
        for name in [n for n in free if n != "eps"]:
            for value in HIDDEN[name]:
                for eps in HIDDEN["eps"][:4]:
                    yield {name: value, "eps": eps}


def _holding(candidate: Candidate, hidden: Mapping[str, float]) -> Candidate:
    return replace(candidate, fixed=dict(candidate.fixed) | dict(hidden), _cache={}) if hidden else candidate


_POOLS: dict[Any, list[Candidate]] = {}


def mistake_candidates(rule: Rule, mapped: Mapped, ref: Candidate) -> list[Candidate]:
    """Every known mistake made in this reference or dialect, where it can be made there."""
    key = (rule.name, id(ref), frozenset(mapped.ours))
    if key not in _POOLS:
        _POOLS[key] = [c for m in _usable(rule, mapped, ref) if (c := mistaken(ref, (m,))) is not None]
    return _POOLS[key]


def _usable(rule: Rule, mapped: Mapped, ref: Candidate) -> list[Mistake]:
    own = rule.hyperparameters
    extended = "weight_decay" in mapped.ours and "weight_decay" not in own
    found = []
    for m in mistakes_of(rule.name):
        needed = [n for n in m.needs if n not in mapped.ours]
        if needed or (m.decays and not extended):
            continue
        found.append(m)
    return found


def mistaken(ref: Candidate, mistakes: tuple[Mistake, ...]) -> Candidate | None:
    """A reference with these mistakes made in it; None where a line they change is not there, or nothing would change."""
    changes = tuple(c for m in mistakes for c in m.changes)
    slots = {k: v for m in mistakes for k, v in m.slots.items()}
    try:
        made = quick(ref.rule, changes, slots)
    except (IndexError, StopIteration, DescendError):
        return None
    label = " and ".join(m.name for m in mistakes)
    lenient = any("1e-30" in c.source for c in changes)
    whole = ref.whole or any(m.whole for m in mistakes)
    return Candidate(made, "mistake", label, ref.fixed, mistakes, whole, ref.source, lenient, ref)


def decayed(rule: Rule, mapped: Mapped) -> Rule:
    """The rule with an L2 term where the user's optimizer has a weight decay and the rule has none of its own."""
    return with_decay(rule, False) if "weight_decay" in mapped.ours and "weight_decay" not in rule.hyperparameters else rule
