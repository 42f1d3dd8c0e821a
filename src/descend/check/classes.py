"""Which known mistakes are the same in other words: no gradient can tell them apart."""

from __future__ import annotations

from functools import lru_cache

from descend.check.dialects import references
from descend.check.judge import EXACT, mistake_candidates
from descend.check.mistakes import catalogue
from descend.check.names import Mapped
from descend.check.probes import probes_for
from descend.check.variants import Candidate, apart, trajectory
from descend.rules import OPTIMIZERS

__all__ = ["classes", "full_mapping"]


def full_mapping(rule: str) -> Mapped:
    """Arguments for every hyperparameter of a rule, weight decay among them, under our own names."""
    return Mapped({n: n for n in {*OPTIMIZERS[rule].hyperparameters, "weight_decay"}})


@lru_cache(maxsize=64)
def classes(rule: str) -> tuple[tuple[str, ...], ...]:
    """Groups of mistakes of one rule whose runs are equal on every probe.

    >>> [len(group) for group in classes("lion")]
    []
    """
    if not any(m.rule == rule for m in catalogue()):
        return ()
    mapped = full_mapping(rule)
    probes = probes_for(OPTIMIZERS[rule], mapped.ours)
    groups: list[list[Candidate]] = []
    for candidate in mistake_candidates(OPTIMIZERS[rule], mapped, references(OPTIMIZERS[rule], True)[0]):
        for group in groups:
            if all(apart(trajectory(group[0], p), trajectory(candidate, p)) <= EXACT for p in probes):
                group.append(candidate)
                break
        else:
            groups.append([candidate])
    return tuple(tuple(c.label for c in group) for group in groups if len(group) > 1)
