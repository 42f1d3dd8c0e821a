"""The catalogue of known mistakes: every one is a rule with one of its equations swapped, read from the rule itself."""

from __future__ import annotations

from functools import lru_cache

from descend.check.mistake import Mistake
from descend.check.mistakes_late import late_mistakes
from descend.check.mistakes_moments import moment_mistakes
from descend.check.mistakes_more import more_mistakes
from descend.check.mistakes_plain import plain_mistakes
from descend.check.mistakes_shapes import shape_mistakes

__all__ = ["Mistake", "catalogue", "mistakes_of"]


@lru_cache(maxsize=1)
def catalogue() -> tuple[Mistake, ...]:
    """Every known mistake, in the order of the rules."""
    return tuple(plain_mistakes() + moment_mistakes() + shape_mistakes() + more_mistakes() + late_mistakes())


@lru_cache(maxsize=128)
def mistakes_of(rule: str, late: bool = False) -> tuple[Mistake, ...]:
    """The known mistakes of one rule: those that show within a few steps, or those that take hundreds."""
    return tuple(m for m in catalogue() if m.rule == rule and m.late == late)
