"""Two mistakes at once: every two of the catalogue and of the rule's edits, the likeliest first, through a sieve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import log
from typing import Any

import numpy as np

from descend.check.probes import Probe
from descend.check.sieve import Pieces, Sieve, flat
from descend.check.variants import Candidate

__all__ = ["LIMITS", "likely_pairs", "surprise", "surprise_of"]

#: Pairs tried for one form of a rule: where one entry tells enough, and where arrays are needed.
LIMITS = (60_000, 3_000)
#: Of which a rarer form has a part.
SHARE = 4
#: Changes with the same first steps that are compared in full.
FEW = 8


@dataclass(frozen=True)
class Part:
    """One change as a pair is made of it, and others that make the same first steps."""

    candidate: Candidate
    alike: list[Candidate]
    pieces: Pieces
    slots: dict[str, Any]
    cost: float
    new: bool


def surprise(candidate: Candidate) -> float:
    """How unlikely a change is: 0 for what people are known to do, more for edits, by their rank."""
    return sum(surprise_of(entry) for entry in candidate.entries)


def surprise_of(entry: Any) -> float:
    """The same for one entry."""
    rank = getattr(entry, "rank", 0)
    return log(rank / 0.3) if rank else 0.0


def likely_pairs(
    ref: Candidate,
    pool: Sequence[Candidate],
    probes: Sequence[Probe],
    points: Sequence[np.ndarray],
    known: set[Any],
    tolerance: float,
    every: bool = True,
) -> Iterator[tuple[Candidate, Candidate]]:
    """Pairs that take the user's first steps, the likeliest first; each shows alone, and no two make the same run.

    Without `every`, those alone of which one tells the first probe. One of each pair is new: runs that are `known` from
    another writing of the rule were paired there, and new ones are added.
    """
    whole = [c for c in pool if c.whole and not ref.whole]
    plain = [c for c in pool if not c.whole or ref.whole]
    sieve = Sieve(ref, probes, points, tolerance)
    parts = _parts(sieve, plain, known)
    limit = LIMITS[0] if flat(ref) else LIMITS[1]
    early = [a for a in parts if sieve.passes(a.pieces, a.slots, stages=sieve.early)]
    late = [(a, b) for a in early for b in parts if a is not b]  # one of them alone tells the first probe
    late.sort(key=lambda pair: pair[0].cost + pair[1].cost)
    yield from _passing(sieve, late, limit)
    yield from _passing(sieve, _ordered(parts, parts), limit if every else limit // SHARE)
    hidden = sorted((c for c in plain if not any(c in p.alike for p in parts)), key=surprise)
    for a in early:  # the other shows in later steps only
        if sieve.passes(a.pieces, a.slots):
            yield from ((one, c) for one in a.alike[:FEW] for c in hidden)
    if whole and every and flat(ref):
        wide = Sieve(ref, probes, points, tolerance, whole=True)
        yield from _passing(wide, _ordered(_parts(wide, whole, set()), parts), LIMITS[1])


def _parts(sieve: Sieve, pool: Sequence[Candidate], known: set[Any]) -> list[Part]:
    """What shows in the sieve's steps, once for each run."""
    found: dict[Any, Part] = {}
    seen = {sieve.run({}, {})}
    for candidate in sorted(pool, key=surprise):
        changes = tuple(c for m in candidate.entries for c in m.changes)
        slots = {k: v for m in candidate.entries for k, v in m.slots.items()}
        pieces = sieve.pieces_of(changes)
        visited = sieve.run(pieces, slots) if pieces is not None else None
        if pieces is None or visited is None or visited in seen:
            continue
        key = (visited, frozenset(pieces))  # equal alone need not be equal beside another, unless in one line
        if key in found:
            found[key].alike.append(candidate)
            continue
        found[key] = Part(candidate, [candidate], pieces, slots, surprise(candidate), key not in known)
    known |= set(found)
    return list(found.values())


def _ordered(first: Sequence[Part], second: Sequence[Part]) -> list[tuple[Part, Part]]:
    if first is second:
        made = [(a, b) for i, a in enumerate(first) for b in first[i + 1 :] if a.new or b.new]
    else:
        made = [(a, b) for a in first for b in second]
    return sorted(made, key=lambda pair: pair[0].cost + pair[1].cost)


def _passing(sieve: Sieve, ordered: Sequence[tuple[Part, Part]], limit: int) -> Iterator[tuple[Candidate, Candidate]]:
    for a, b in ordered[:limit]:
        merged = _merged(sieve, a, b)
        if merged is not None and sieve.passes(merged, a.slots | b.slots):
            yield from sorted(product(a.alike[:FEW], b.alike[:FEW]), key=lambda pair: surprise(pair[0]) + surprise(pair[1]))


def _merged(sieve: Sieve, a: Part, b: Part) -> Pieces | None:
    if a.pieces.keys().isdisjoint(b.pieces):
        return {**a.pieces, **b.pieces}
    both = [*_changes(a), *_changes(b)]
    put = [(c.target, c.occurrence) for c in both if c.kind == "set"]
    return sieve.pieces_of(both) if len(put) == len(set(put)) else None


def _changes(part: Part) -> list[Any]:
    return [c for m in part.candidate.entries for c in m.changes]
