"""Tens of thousands of changes tried cheaply: the first steps of one entry, in plain numbers, until one differs.

A full comparison runs every probe on arrays and takes milliseconds. Here a step takes microseconds: what passes is compared in
full afterwards, so that the sieve decides nothing but what is worth that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from descend import arrays
from descend.check.probes import Probe
from descend.check.variants import EXTRA, Candidate, line_code, pieces, trajectory, written
from descend.errors import DescendError

__all__ = ["FAILURES", "STEPS", "Sieve", "Stage", "flat", "started", "telling"]

#: Steps of the first and of the last probe that are looked at.
STEPS = 8
#: Where they part late.
MOST = 40
#: Looser than what counts as equal: rounding is judged later.
NEAR = 1e-9
NAN = float("nan")
FAILURES = (NameError, AttributeError, TypeError, ValueError, IndexError, ArithmeticError, KeyError)

Pieces = Mapping[int, str]


def _axis(function: Any) -> Any:
    return lambda x, axis=None: function(x, axis=axis, keepdims=axis is not None)


NUMBERS: dict[str, Any] = {
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else NAN,
    "sign": lambda x: (x > 0) - (x < 0),
    "maximum": max,
    "minimum": min,
    "where": lambda c, a, b: a if c else b,
    "total": lambda x, axis=None: x,
    "mean": lambda x, axis=None: x,
    "norm": abs,
    "rms": abs,
}
ARRAYS: dict[str, Any] = {
    "sqrt": np.sqrt,
    "sign": np.sign,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "where": np.where,
    "total": _axis(np.sum),
    "mean": _axis(np.mean),
    "norm": lambda x: np.sqrt(np.vdot(x, x)),
    "rms": lambda x: np.sqrt(np.vdot(x, x) / np.size(x)),
}


def flat(candidate: Candidate) -> bool:
    """Whether each entry goes its own way, so that one tells enough."""
    rule = candidate.rule
    return not (candidate.whole or rule.whole_array or rule.sums or rule.ndim)


def telling(
    ref: Candidate, probes: Sequence[Probe], points: Sequence[np.ndarray], near: float
) -> list[tuple[Probe, np.ndarray, int]]:
    """The first probe, the last, and one that parts from the reference where neither does at first; and how many steps."""
    parted = []
    for probe, visited in zip(probes, points, strict=True):
        with np.errstate(all="ignore"):
            gap = np.abs(trajectory(ref, probe) - visited).max(axis=1)
            moved = np.nanmax(np.abs(np.where(np.isfinite(visited), visited - visited[0], 0.0)))
            apart = ~(gap <= near * max(moved, 1e-14))
        parted.append(int(np.argmax(apart)) if apart.any() else len(visited) + 99)
    chosen = {0: STEPS, len(probes) - 1: STEPS}
    if min(parted[i] for i in chosen) > STEPS:
        best = int(np.argmin(parted))
        chosen[best] = max(STEPS, min(parted[best] + 4, MOST))
    return [(probes[i], points[i], steps) for i, steps in chosen.items()]


@dataclass
class Stage:
    """A few steps of one entry or array: where it starts, what it is given, and where the user's optimizer went."""

    p: Any
    slots: dict[str, Any]
    hyper: dict[str, Any]
    steps: list[tuple[dict[str, Any], Any, Any]]
    #: Slots that are not kept from step to step.
    lost: tuple[str, ...]
    tolerance: float
    first: bool


class Sieve:
    """One reference, or one with values written into it, and the points of a user's optimizer."""

    #: Probes that are looked at.
    most = 3

    def __init__(
        self, ref: Candidate, probes: Sequence[Probe], points: Sequence[np.ndarray], tolerance: float = 0.0, whole: bool = False
    ) -> None:
        self.near = max(NEAR, 2 * tolerance)
        self.ref, self.numbers = ref, flat(ref) and not whole
        self.lines = [text.replace("yield ", "") for _, text in written(ref.rule)]
        self.scope = EXTRA | {name: getattr(arrays, name) for name in arrays.__all__} | dict(ref.rule.function.__globals__)
        self.scope |= NUMBERS if self.numbers else ARRAYS
        self.stages = list(self._stages(probes, points))
        self._blocks: dict[tuple[int, int], Any] = {}

    def _stages(self, probes: Sequence[Probe], points: Sequence[np.ndarray]) -> Iterator[Stage]:
        for probe, visited, steps in telling(self.ref, probes, points, self.near)[: self.most]:
            if self.ref.rule.sums:
                yield self._stage(probe, visited, None, slice(None), steps)
                continue
            places = np.cumsum([0, *(a.size for a in probe.start)])
            for i in dict.fromkeys((len(probe.start) - 1, 0)):
                here: Any = int(places[i]) + 1 if self.numbers else slice(int(places[i]), int(places[i + 1]))
                yield self._stage(probe, visited, i, here, steps)

    def _stage(self, probe: Probe, visited: np.ndarray, array: int | None, here: Any, limit: int = STEPS) -> Stage:
        shape = (-1,) if array is None else probe.start[array].shape

        def cut(row: np.ndarray) -> Any:
            return float(row[here]) if self.numbers else row[here].reshape(shape)

        p = cut(probe.joined(probe.start))
        hyper = self.ref.values(probe)
        rule = self.ref.rule
        model = np.asarray(p)
        kept = rule.kept_slots(model, hyper)
        made = vars(rule.start(model, hyper))
        slots = {k: float(v) if self.numbers or np.ndim(v) == 0 else v for k, v in made.items()}
        count = min(limit, len(visited) - 1)
        steps = [(self.ref.values(probe, t), cut(probe.joined(probe.gradients[t])), cut(visited[t + 1])) for t in range(count)]
        seen = visited[: count + 1]  # of a run that diverges, what comes later is no measure
        finite = np.where(np.isfinite(seen), seen, 0.0)
        tolerance = self.near * float(np.abs(finite - finite[0]).max())
        first = probe.name.startswith("changing gradients")
        return Stage(p, slots, hyper, steps, tuple(n for n in slots if n not in kept), max(tolerance, 1e-14), first)

    def pieces_of(self, candidate_changes: Sequence[Any]) -> Pieces | None:
        """The lines that changes put in place of a rule's own; None where they cannot be made."""
        try:
            body = pieces(self.ref.rule, candidate_changes)
        except (IndexError, StopIteration, DescendError):
            return None
        return {i: re.sub(r"\byield ", "", "\n".join(part)) for i, part in body.items()}

    def codes(self, changed: Pieces) -> list[Any]:
        """Compiled blocks: runs of lines as they stand, and changed lines between them."""
        found, last, blocks = [], 0, self._blocks
        for i in sorted(changed) if len(changed) > 1 else changed:
            if i > last:
                found.append(blocks.get((last, i)) or self._block(last, i))
            found.append(_compiled(changed[i]))
            last = i + 1
        if last < len(self.lines):
            found.append(blocks.get((last, len(self.lines))) or self._block(last, len(self.lines)))
        return found

    def _block(self, first: int, last: int) -> Any:
        if (first, last) not in self._blocks:
            self._blocks[first, last] = _compiled("\n".join(self.lines[first:last]))
        return self._blocks[first, last]

    @property
    def early(self) -> int:
        """How many of the stages are of the first probe, in which nothing decays."""
        return sum(stage.first for stage in self.stages)

    def passes(self, changed: Pieces, slots: Mapping[str, Any], stages: int | None = None) -> bool:
        """Whether the rule with these lines changed takes the user's first steps; or those of the first stages only."""
        try:
            codes = self.codes(changed)
            if self.numbers:
                return all(self._follows(stage, codes, slots) for stage in self.stages[:stages])
            with np.errstate(all="ignore"):
                return all(self._follows(stage, codes, slots) for stage in self.stages[:stages])
        except FAILURES:
            return False

    def _follows(self, stage: Stage, codes: Sequence[Any], slots: Mapping[str, Any]) -> bool:
        if not self.numbers:
            return all(_near(p, wanted, stage.tolerance) for p, wanted in self._walk(stage, codes, slots))
        space, lost = self._begun(stage, slots)
        s, scope, tolerance = space["s"], self.scope, stage.tolerance
        for hyper, g, wanted in stage.steps:
            space.update(hyper)
            space["g"] = g
            for code in codes:
                exec(code, scope, space)  # our own source, never a user's text
            p = space["p"]
            if not abs(p - wanted) <= tolerance:
                return False
            for name in lost:
                setattr(s, name, 0.0)
        return True

    def _begun(self, stage: Stage, slots: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """What the lines see before the first step, and slots that are not kept from step to step."""
        s = SimpleNamespace(**stage.slots)
        for name, slot in slots.items():
            setattr(s, name, _start(slot, stage, self.numbers))
        return {"s": s, "p": stage.p}, [name for name in stage.lost if name not in slots]

    def _walk(self, stage: Stage, codes: Sequence[Any], slots: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
        """The points after each step, and those of the user."""
        space, lost = self._begun(stage, slots)
        s, scope = space["s"], self.scope
        for hyper, g, wanted in stage.steps:
            space.update(hyper)
            space["g"] = g
            for code in codes:
                exec(code, scope, space)  # our own source, never a user's text
            yield space["p"], wanted
            for name in lost:
                setattr(s, name, 0.0)

    def run(self, changed: Pieces, slots: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The points visited, to ten digits; None where the lines make no sense. Equal tuples need one trial."""
        try:
            codes = self.codes(changed)
            with np.errstate(all="ignore"):
                rows = [p for stage in self.stages for p, _ in self._walk(stage, codes, slots)]
        except FAILURES:
            return None
        return tuple(f"{x:.10g}" for p in rows for x in ((p,) if self.numbers else np.ravel(p)))


def started(slot: Any, stage: Stage) -> Any:
    """A further slot at its first value, on arrays."""
    return _start(slot, stage, False)


def _start(slot: Any, stage: Stage, numbers: bool) -> Any:
    if slot.fill == "p":
        return stage.p
    value = stage.hyper[slot.fill] if isinstance(slot.fill, str) else slot.fill
    return value if numbers or slot.shape == "scalar" else stage.p * 0 + value


def _near(p: Any, wanted: Any, tolerance: float) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(p - wanted) <= tolerance))


@lru_cache(maxsize=65536)
def _compiled(source: str) -> Any:
    return line_code(source, "sieve")
