"""A factor or a value that nobody has listed: found from the user's steps, then told as a formula where it is one.

Somewhere in one line stands another number than should: a factor on a quantity, a constant, a hyperparameter, a power, or a
further term in p or g. What it is in each step follows from one entry of the user's steps; the others say whether it is so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from descend.check.places import STEP, Place, places_of, rule_lines, slots_for
from descend.check.probes import Probe
from descend.check.sieve import FAILURES, STEPS, Sieve, Stage, started
from descend.check.variants import Candidate, Change
from descend.rules import Rule

__all__ = ["Free", "Solution", "Solver", "free_places"]

FREE = "free_"
#: Trials of one step before it counts as unsolvable.
TRIALS = 14
#: Steps of each probe where all of them are looked at.
MORE = 40
STARTS = (0.5, 2.0, 0.1, 0.0, -1.0, 10.0)


@dataclass(frozen=True)
class Free:
    """One place with an unknown in it."""

    target: str
    #: The changes with the unknown in them; for the formula that it turns out to be, `FREE` is replaced.
    changes: tuple[Change, ...]
    #: What the unknown is when nothing is wrong: 1 for factors, 0 for terms, None for the value of what stands there.
    neutral: float | None
    #: What stands in the place.
    text: str
    #: "factor", "value" or "term".
    kind: str
    rank: float
    shown: tuple[str, str]


@dataclass
class Solution:
    """The unknown in each step."""

    free: Free
    #: By stage: (values of hyperparameters, step from 1, the unknown, quantities it may be made of).
    samples: list[tuple[dict[str, Any], int, float, dict[str, Any]]]
    #: Whether it is the same for all arrays of a step.
    common: bool


def free_places(rule: Rule) -> tuple[Free, ...]:
    """Every place an unknown may stand in, the plainest first."""
    return _free_places(rule)


@lru_cache(maxsize=128)
def _free_places(rule: Rule) -> tuple[Free, ...]:
    found: dict[str, Free] = {}
    for free in (*_factors(rule), *_terms(rule), *_everywhere(rule)):
        key = "|".join(f"{c.target}{c.occurrence}{c.source}" for c in free.changes)
        if key not in found or found[key].rank > free.rank:
            found[key] = free
    return tuple(sorted(found.values(), key=lambda f: f.rank))


def _factors(rule: Rule) -> Iterator[Free]:
    yield Free("g", (Change("start", f"g = {FREE} * g", "before"),), 1.0, "g", "factor", 2, ("g", f"{FREE} * g"))
    for place in places_of(rule):
        line = place.line
        if not place.array and (place.name or place.top):
            source = place.put(FREE)
            change = Change(line.target, source, "set", line.occurrence)
            number = place.text.replace(".", "").isdigit()
            neutral = float(place.text) if number else None
            own = [x for x in rule_lines(rule)[: line.number] if x.target == place.text]
            target, shown = (place.text, (own[-1].source, FREE)) if own else (line.target, (line.source, source))
            yield Free(target, (change,), neutral, place.text, "value", 2 if number else 1, shown)
        else:
            if not place.array:  # a number that is made of others
                change = Change(line.target, place.put(FREE), "set", line.occurrence)
                yield Free(line.target, (change,), None, place.text, "value", 1.5, (line.source, place.put(FREE)))
            source = place.put(f"{FREE} * ({place.text})")
            change = Change(line.target, source, "set", line.occurrence)
            rank = 1.5 if place.name else 1.2 if place.top else 3.0
            yield Free(line.target, (change,), 1.0, place.text, "factor", rank, (line.source, source))


def _everywhere(rule: Rule) -> Iterator[Free]:
    """One number or hyperparameter at all its places, and the number of the step in all powers and counts."""
    places: dict[str, list[Place]] = {}
    for place in places_of(rule):
        if place.name and not place.array and place.text not in ("0", "1", "2", "0.0", "1.0", "1e-30"):
            places.setdefault(place.text, []).append(place)
    for text, found in places.items():
        if len(found) > 1:
            sources: dict[tuple[str, int], str] = {}
            for place in found:
                key = (place.line.target, place.line.occurrence)
                sources[key] = re.sub(
                    rf"(?<![\w.]){re.escape(text)}(?![\w.])", f"({FREE})", sources.get(key, place.line.source)
                )
            changes = tuple(Change(target, source, "set", n) for (target, n), source in sources.items())
            number = text.replace(".", "").isdigit()
            shown = (found[0].line.source, changes[0].source)
            yield Free(found[0].line.target, changes, float(text) if number else None, text, "value", 2.2, shown)
    powers = {n: s.power_of for n, s in rule.slots.items() if s.power_of and s.base is None}
    counts = [n for n, s in rule.slots.items() if s.counts]
    sources = {}
    for line in rule_lines(rule):
        if line.target in powers or line.target in counts:
            continue
        source = line.source
        for name, beta in powers.items():
            source = re.sub(rf"\bs\.{name}\b", f"({beta} ** ({FREE}))", source)
        for name in counts:
            source = re.sub(rf"\bs\.{name}\b", f"({FREE})", source)
        if source != line.source:
            sources[line.target, line.occurrence] = source
    if sources:
        changes = tuple(Change(target, source, "set", n) for (target, n), source in sources.items())
        yield Free("t", changes, None, STEP, "value", 1.0, ("step", FREE))


def _terms(rule: Rule) -> Iterator[Free]:
    """c·p or c·g added to a quantity; for p also in the place of the rule's own decay."""
    without = _without_decay(rule)
    for what in ("p", "g"):
        yield Free(
            "g", (Change("start", f"g = g + {FREE} * {what}", "before"),), 0.0, what, "term", 2.0, ("g", f"g + {FREE} * {what}")
        )
    yield Free("g", (Change("start", f"g = g + {FREE}", "before"),), 0.0, "1", "term", 3.0, ("g", f"g + {FREE}"))
    last = [x for x in rule_lines(rule) if x.target == "p"][-1]
    back = Change("p", f"p = p + {FREE} * (s.first_p - p)", "after", last.occurrence)
    yield Free("p", (back,), 0.0, "first_p", "term", 3.0, (last.source, f"{last.source} + {FREE} * (s.first_p - p)"))
    for own in ((), without) if without else ((),):
        taken = {(c.target, c.occurrence) for c in own}
        if own:
            change = Change("start", f"g = g + {FREE} * p", "before")
            yield Free("g", (*own, change), 0.0, "p", "term", 3.5, ("g", f"g + {FREE} * p"))
            change = Change("start", f"g = g + {FREE}", "before")
            yield Free("g", (*own, change), 0.0, "1", "term", 3.5, ("g", f"g + {FREE}"))
            last = rule_lines(rule)[-1]
            if last.target != "p":
                continue
        for place in places_of(rule):
            line = place.line
            if not place.array or (line.target, line.occurrence) in taken or not (place.name or place.top):
                continue
            for what in ("p", "g") if not own else ("p",):
                if place.text == what and not place.top:
                    continue  # a factor
                source = place.put(f"{place.text} + {FREE} * {what}")
                change = Change(line.target, source, "set", line.occurrence)
                rank = (3.5 if own else 3.0) + (not place.top)
                yield Free(line.target, (*own, change), 0.0, what, "term", rank, (line.source, source))


def _without_decay(rule: Rule) -> tuple[Change, ...]:
    """The changes that take a rule's own decay out: its terms with weight_decay are 0."""
    found = []
    for line in rule_lines(rule):
        if "weight_decay" in line.source and line.target in ("p", "g", "u", "r", "d"):
            found.append(Change(line.target, line.source.replace("weight_decay", "0.0"), "set", line.occurrence))
    return tuple(found)


class Solver(Sieve):
    """One reference and the points of a user's optimizer, on whole arrays."""

    def __init__(
        self, ref: Candidate, probes: Sequence[Probe], points: Sequence[np.ndarray], tolerance: float = 0.0, every: bool = False
    ) -> None:
        self.every = every
        super().__init__(ref, probes, points, tolerance, whole=True)
        self.base = self.codes({})

    def _stages(self, probes: Sequence[Probe], points: Sequence[np.ndarray]) -> Iterator[Stage]:
        """As the sieve's, and a probe of the second setting, in which the rate changes: what is found has to follow that."""
        middle = min(4, len(probes) - 1)
        if not self.every:
            yield from super()._stages(probes, points)
        for i in range(len(probes)) if self.every else [middle] if 0 < middle < len(probes) - 1 else []:
            probe, visited = probes[i], points[i]
            if self.ref.rule.sums:
                yield self._stage(probe, visited, None, slice(None), MORE)
                continue
            places = np.cumsum([0, *(a.size for a in probe.start)])
            for k in dict.fromkeys((len(probe.start) - 1, 0)):
                yield self._stage(probe, visited, k, slice(int(places[k]), int(places[k + 1])), MORE if self.every else STEPS)

    def solve(self, free: Free, beside: Sequence[Change] = (), slots: Mapping[str, Any] | None = None) -> Solution | None:
        """The unknown in every step, or None where there is none that fits all entries; `beside` another mistake."""
        text = f"free_x = {free.text}\n" if free.kind == "factor" else ""
        made = self.pieces_of([*beside, *free.changes])
        if made is None:
            return None
        if text:
            number = next((i for i, part in made.items() if FREE in part), 0)
            made = {**made, number: text + made[number]}
        slots = {**slots_for(" ".join(c.source for c in free.changes))[0], **(slots or {})}
        samples: list[Any] = []
        try:
            codes = self.codes(made)
            with np.errstate(all="ignore"):
                for stage in self.stages:
                    found = self._solved(stage, codes, free, slots)
                    if found is None:
                        return None
                    samples += found
        except FAILURES:
            return None
        if all(c == neutral for _, _, c, _, neutral in samples):
            return None  # it fits as it is: what is wrong shows elsewhere
        return Solution(free, [s[:4] for s in samples], _common(samples))

    def _solved(self, stage: Stage, codes: Sequence[Any], free: Free, more: Mapping[str, Any]) -> list[Any] | None:
        slots, p = dict(stage.slots) | {n: started(s, stage) for n, s in more.items()}, stage.p
        lost = stage.lost
        found: list[Any] = []
        last: list[float] = []
        for t, (hyper, g, wanted) in enumerate(stage.steps):
            neutral = free.neutral
            if neutral is None:
                neutral = t + 1.0 if free.text == STEP else self._stands(free, slots, hyper, p, g)

            def go(c: float, hyper: Any = hyper, g: Any = g, slots: Any = slots, p: Any = p) -> tuple[Any, Any]:
                s = SimpleNamespace(**slots)
                space = {"s": s, "p": p, "g": g, FREE: c} | hyper
                for code in codes:
                    exec(code, self.scope, space)  # our own source, never a user's text
                return space, vars(s)

            root = self._root(go, neutral, wanted, 100 * stage.tolerance, [*_guesses(free, hyper, t + 1), *last])
            if root is None:
                return None
            c, space, slots = root
            if c is not None:
                last = [c]
                quantities = {k: v for k, v in space.items() if isinstance(v, np.ndarray | float) and k not in (FREE, "s")}
                found.append(
                    (hyper, t + 1, c, quantities | {"p": p, "g": g} | {f"s.{k}": v for k, v in slots.items()}, neutral)
                )
            p = space["p"]
            for name in lost:
                slots[name] = 0.0
        return found

    def _stands(self, free: Free, slots: dict[str, Any], hyper: Any, p: Any, g: Any) -> float:
        """What the place holds when nothing is wrong: read as a guess from slots and hyperparameters."""
        space = {"s": SimpleNamespace(**slots), "p": p, "g": g} | hyper
        try:
            return float(eval(free.text, self.scope, space))  # our own source, never a user's text
        except (*FAILURES, SyntaxError):
            return 1.0

    def _root(
        self, go: Any, neutral: float, wanted: Any, tolerance: float, guesses: Sequence[float]
    ) -> tuple[float | None, Any, Any] | None:
        """The unknown of one step, with what it leads to; None for it where it plays no part, None where none fits."""

        def miss(c: float) -> tuple[Any, Any, Any]:
            space, slots = go(c)
            r = space["p"] - wanted
            return (np.full(np.shape(r), np.nan) if np.iscomplexobj(r) else r), space, slots

        r0, space, slots = miss(neutral)
        if np.shape(r0) != np.shape(wanted):
            return None
        if np.abs(r0).max() <= tolerance:
            moved = np.abs(miss(neutral + 0.01 * (abs(neutral) or 1.0))[0]).max()
            return (neutral if moved > 100 * tolerance else None), space, slots
        finite = np.isfinite(r0)
        entry = int(np.argmax(np.where(finite, np.abs(r0), -1.0)))
        step = 0.01 * abs(neutral) or 0.01
        missed = 0
        starts = [(neutral, x) for x in ((neutral * 1.01, neutral * 0.1, neutral * 10.0) if neutral > 0 else (step, *STARTS))]
        starts = [(c, c * 1.01) for c in guesses if c] + starts
        if neutral > 0:
            starts += [(neutral, x) for x in STARTS if x <= 0]
        for a, b in starts:
            if a == b:
                continue
            ra, space, slots = (r0, None, None) if a == neutral else miss(a)
            if space is not None and np.abs(ra).max() <= 1e-5 * tolerance:
                return a, space, slots
            found = self._secant(miss, a, ra, b, entry, tolerance, a > 0 and b > 0 and neutral > 0)
            if found not in (None, False):
                return found  # type: ignore[no-any-return]
            if space is not None and np.abs(ra).max() <= tolerance:
                return a, space, slots
            missed += found is False
            if missed > 1 and not guesses:
                return None
        return None

    def _secant(self, miss: Any, a: float, ra: Any, b: float, entry: int, tolerance: float, positive: bool) -> Any:
        """The secant method on one entry; False where that entry agrees and another does not, None where it does not end."""
        best: Any = None
        for _ in range(TRIALS):
            rb, space, slots = miss(b)
            if not np.isfinite(rb.ravel()[entry]):
                return None
            fa, fb = ra.ravel()[entry], rb.ravel()[entry]
            largest = np.abs(rb).max()
            if largest <= tolerance:  # one more time: what is left of an error grows from step to step
                if best is not None or largest <= 1e-5 * tolerance or fa == fb:
                    return b, space, slots
                best = b, space, slots
            elif best is not None:
                return best
            if abs(fb) <= 1e-3 * tolerance or (abs(fb) <= tolerance and abs(fb) < 1e-4 * largest):
                return best or (False if largest > 10 * tolerance else None)
            if fa == fb or not np.isfinite(fa):
                return best
            if positive:
                x, y = np.log(a), np.log(b)
                move = float(np.clip(-fb * (y - x) / (fb - fa), -3.0, 3.0))
                new = float(b * np.exp(move))
            else:
                new = float(b - fb * (b - a) / (fb - fa))
            if new == b or not np.isfinite(new) or abs(new) > 1e12:
                return best
            a, ra, b = b, rb, new
        return best


def _guesses(free: Free, hyper: dict[str, Any], t: int) -> list[float]:
    """Where a term's factor may be looked for: decays by their usual sizes."""
    if free.text == STEP:
        return [t + 1.0, t - 1.0, 2.0 * t, 1.0, 1e5]
    if free.kind != "term":
        return []
    decay, lr = float(hyper.get("weight_decay") or 0.0), float(hyper.get("lr") or 1.0)
    beta = float(hyper.get("beta1") or hyper.get("momentum") or 0.0)
    if free.text == "g":
        return [1 - beta, beta]
    return [decay, lr * decay, -decay, -lr * decay] if decay else []


def _common(samples: Sequence[Any]) -> bool:
    """Whether arrays of one setting and step agree on the unknown."""
    seen: dict[Any, float] = {}
    for hyper, t, c, *_ in samples:
        key = (tuple(sorted((k, v) for k, v in hyper.items() if isinstance(v, int | float))), t)
        if key in seen and abs(seen[key] - c) > 1e-4 * max(1e-3, abs(c)):
            return False
        seen[key] = c
    return True
