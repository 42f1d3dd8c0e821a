"""What one entry of the catalogue is, and its equations read from the rule it changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import descend.optimizers  # noqa: F401  (fills the registry)
from descend.check.variants import Change, changed, with_decay
from descend.equations import lines
from descend.rules import OPTIMIZERS, Rule, Slot

__all__ = ["M", "Mistake", "after", "before", "put"]


@dataclass(frozen=True, eq=False)
class Mistake:
    """A known mistake: a rule with one equation changed, in words, with what it does to training."""

    rule: str
    #: The quantity whose equation is wrong, by the rule's own name for it.
    target: str
    #: What was done, in words: "the second moment is corrected with β1".
    name: str
    changes: tuple[Change, ...]
    #: What happens in training.
    consequence: str
    #: A question or a nudge for a learner that does not give the answer away.
    hint: str
    #: Values under which the equation is in use; the user's optimizer must have these hyperparameters.
    needs: tuple[str, ...] = ()
    slots: Mapping[str, Slot] = field(default_factory=dict)
    #: Needs whole arrays: a norm or a mean over entries.
    whole: bool = False
    #: Stands in the L2 term of a rule that has no decay of its own.
    decays: bool = False
    #: Values an equation is shown under.
    shown: Mapping[str, Any] = field(default_factory=dict)
    #: The equation as it should be and as it is, where the changed lines say it less well.
    written: tuple[str, str] | None = None
    #: Shows after hundreds of steps only.
    late: bool = False
    #: Ends in numbers that are not finite, at about the step the entry says.
    overflows: bool = False

    @property
    def base(self) -> Rule:
        """The right rule."""
        rule = OPTIMIZERS[self.rule]
        return with_decay(rule, False) if self.decays else rule

    def on(self, base: Rule) -> Rule:
        """This mistake made in a rule: the right one, or one that has another mistake already."""
        return changed(base, self.changes, slots=self.slots)

    @cached_property
    def equations(self) -> tuple[list[str], list[str]]:
        """The lines that differ: as they should be, and as they are with the mistake."""
        if self.written is not None:
            return [self.written[0]], [self.written[1]]
        stale = [match[1] for c in self.changes if (match := re.match(r"old = s\.(\w+)$", c.source.split("\n")[0]))]
        if stale:
            return _stale_lines(self.base, stale[0], self.values)
        return compare_lines(self.base, self.on(self.base), self.values)

    @property
    def values(self) -> dict[str, Any]:
        """Hyperparameters for which every equation concerned is shown."""
        known = self.base.hyperparameters
        wanted = {"weight_decay": 0.1} | {n: 0.5 for n in self.needs if n != "weight_decay"} | dict(self.shown)
        return {k: (True if isinstance(known[k].default, bool) else v) for k, v in wanted.items() if k in known}

    @property
    def expected(self) -> str:
        """The equation as it should be; it is the fix."""
        return "; ".join(self.equations[0])

    @property
    def yours(self) -> str:
        """The equation as the mistake has it."""
        return "; ".join(self.equations[1])


def compare_lines(base: Rule, other: Rule, values: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The lines of two versions of a rule that are not in the other: (expected, found)."""
    right, wrong = lines(base(**values)), lines(other(**values))
    only_right = [line for line in right if line not in wrong]
    only_wrong = [line for line in wrong if line not in right]
    if not only_right and not only_wrong:  # the order, or what a slot starts at
        moved = [i for i, (a, b) in enumerate(zip(right, wrong, strict=False)) if a != b]
        if moved:
            span = slice(moved[0], moved[-1] + 1)
            return [", then ".join(right[span])], [", then ".join(wrong[span])]
        starts = [n for n, s in other.slots.items() if n not in base.slots or base.slots[n] != s]
        return [_start(base, n) for n in starts if n in base.slots], [_start(other, n) for n in starts]
    if not only_right:
        only_right = [_nearest(only_wrong[-1], right)]
    if not only_wrong:
        only_wrong = [f"(no line for {' and '.join(line.split(' ')[0] for line in only_right)})"]
    return only_right, only_wrong


def _stale_lines(base: Rule, slot: str, values: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The line that uses a slot, with what the slot held a step before; of an added slot, the last line a step before."""
    written = lines(base(**values))
    names = [slot] if slot in base.slots else [*base.slots, "g"]
    alone = rf"(?<!\w)({'|'.join(names)})(?![\w\u0302(])"
    fresh = [line for line in written if not line.startswith(f"{slot} ")]
    used = [line for line in fresh if re.search(alone, re.split("[←=]", line, maxsplit=1)[-1])]
    right = used[0] if slot in base.slots and used else written[-1]
    left, sign, rest = re.split("( [←=] )", right, maxsplit=1)
    return [right], [left + sign + re.sub(alone, r"\1ₜ₋₁", rest)]


def _nearest(line: str, right: list[str]) -> str:
    """The right lines hold, one is too many: the line there is for the same quantity, or what is to be left out."""
    same = [r for r in right if r.split(" ")[0] == line.split(" ")[0]]
    return same[-1] if same else f"without {line}"


def _start(rule: Rule, name: str) -> str:
    fill = rule.slots[name].fill
    return f"{name}₀ = {'p₀' if fill == 'p' else fill if isinstance(fill, str) else f'{fill:g}'}"


def M(  # noqa: N802  (stands for one line of a table)
    rule: str, target: str, source: str | tuple[Change, ...], name: str, consequence: str, hint: str, **more: Any
) -> Mistake:
    """One entry: `source` is what the target is assigned instead, or a tuple of changes."""
    occurrence = more.pop("occurrence", 0)
    changes = (Change(target, source, occurrence=occurrence),) if isinstance(source, str) else source
    return Mistake(rule, target, _indices(name), changes, _indices(consequence), _indices(hint), **more)


def _indices(text: str) -> str:
    """β1 as it is written in equations."""
    return text.replace("β1", "β₁").replace("β2", "β₂").replace("β3", "β₃")


def put(target: str, source: str, occurrence: int = 0) -> Change:
    """Assign the target this instead."""
    return Change(target, source, occurrence=occurrence)


def before(target: str, source: str, occurrence: int = 0) -> Change:
    """Statements before a target's assignment; the target "start" is the first line."""
    return Change(target, source, "before", occurrence)


def after(target: str, source: str, occurrence: int = 0) -> Change:
    """Statements after a target's assignment."""
    return Change(target, source, "after", occurrence)
