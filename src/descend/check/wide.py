"""What people add to a rule, and what holds in some steps only: a grammar of edits beyond a term left out or a name exchanged.

Operations on any quantity (clipped, centred, its sign, its mean over the array), quantities of other steps, edits that
hold in the first step only, after it, or for matrices only. A factor that is not listed is found by `solved`.
"""

# ruff: noqa: E501  (tables: one edit a line)
from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from descend.check.edits import HINT, Edit, Edited, plain_edits
from descend.check.formulas import called, unicode_of
from descend.check.places import STEP, Line, Place, like_slots, line_of, places_of, rule_lines, slots_for
from descend.check.variants import Candidate, Change, quick
from descend.errors import DescendError
from descend.rules import Rule, Slot

__all__ = ["Wide", "wide_candidate", "wide_edits"]

LEVELS = ("1.0", "0.5", "0.1", "2.0", "5.0", "10.0", "0.01", "lr")


@dataclass(frozen=True)
class Wide:
    """One edit, cheap to make by the thousand."""

    target: str
    changes: tuple[Change, ...]
    name: str
    rank: float
    whole: bool = False
    slots: dict[str, Slot] = field(default_factory=dict)
    #: The line as it stands and as it should be.
    shown: tuple[str, str] = ("", "")


def wide_candidate(ref: Candidate, edit: Wide) -> Candidate | None:
    """The edit made in a reference or dialect."""
    try:
        made = quick(ref.rule, edit.changes, edit.slots)
    except (IndexError, StopIteration, DescendError, SyntaxError):
        return None
    about: dict[str, Any] = {"parent": ref.rule, "rank": edit.rank, "fixed": ref.fixed, "slots": edit.slots}
    about["written"] = (line_of(ref.rule, edit.target, edit.shown[0]), line_of(ref.rule, edit.target, edit.shown[1]))
    entry = Edited(ref.rule.name, edit.target, edit.name, edit.changes, "", HINT, **about)
    whole = ref.whole or edit.whole
    return Candidate(made, "mistake", edit.name, ref.fixed, (entry,), whole, ref.source, True, ref)


def edit_at(line: Line, source: str, name: str, rank: float, whole: bool = False, target: str = "") -> Wide:
    """A line with another value, and what that needs kept."""
    slots, kept = slots_for(source)
    before = (Change("start", kept, "before"),) if kept else ()
    changes = (*before, Change(line.target, source, "set", line.occurrence))
    return Wide(target or line.target, changes, name, rank, whole, slots, (line.source, source))


@lru_cache(maxsize=64)
def wide_edits(rule: Rule) -> tuple[Wide, ...]:
    """All of them, the likeliest first."""
    found: dict[tuple[str, int, str], Wide] = {}
    for edit in (
        *_operations(rule),
        *_kept_otherwise(rule),
        *_functions(rule),
        *_of_other_steps(rule),
        *_at_times(rule),
        *_left_out(rule),
    ):
        key = (edit.target, len(edit.changes), edit.changes[-1].source)
        if key not in found or found[key].rank > edit.rank:
            found[key] = edit
    return tuple(sorted(found.values(), key=lambda e: e.rank))


def _where(target: str) -> str:
    return f"in the equation for {unicode_of(target)}"


# ---- operations


def _operations(rule: Rule) -> Iterator[Wide]:
    """Something done to a quantity on the way, wherever it is used."""
    yield from _on_gradient(rule)
    for place in (p for p in places_of(rule) if p.array):
        for new, said, rank, whole in _done_to(place, rule):
            if len(place.text) > 60 and not place.top:
                rank += 2
            source = place.put(new)
            yield edit_at(place.line, source, f"{said} {_where(place.line.target)}", rank + (not place.name), whole)


def _on_gradient(rule: Rule) -> Iterator[Wide]:
    """The same before everything else: to the gradient as it comes."""
    for new, said, rank, whole in _ways("g", "the gradient", rule):
        slots, kept = slots_for(new)
        source = f"{kept}\ng = {new}".strip()
        yield Wide("g", (Change("start", source, "before"),), said, rank, whole, slots, ("g", new))


def _done_to(place: Place, rule: Rule) -> Iterator[tuple[str, str, float, bool]]:
    yield from _ways(place.text, place.symbol, rule)


def _kept_otherwise(rule: Rule) -> Iterator[Wide]:
    """What is kept is brought to length 1 once the step is made, as by a routine that works in place."""
    last = rule_lines(rule)[-1]
    for name in like_slots(rule):
        source = f"s.{name} / maximum(norm(s.{name}), 1e-30)"
        said = f"{unicode_of(name)} is kept divided by its norm: it is changed in place"
        change = Change(last.target, f"s.{name} = {source}", "after", last.occurrence)
        yield Wide(name, (change,), said, 4, True, {}, (f"s.{name}", source))


def _ways(x: str, symbol: str, rule: Rule) -> Iterator[tuple[str, str, float, bool]]:
    for k in LEVELS:
        yield f"minimum(maximum({x}, -{k}), {k})", f"{symbol} is clipped at ±{unicode_of(k)}", 4, False
    for new, said, rank in (
        ("sign({x})", "the sign of {n} is taken", 4.0),
        ("abs({x})", "the size of {n} is taken", 4.0),
        ("({x})**2", "{n} is squared", 4.0),
        ("abs({x})**3", "{n} is cubed", 6.0),
        ("sqrt(abs({x}))", "a root is taken of {n}", 5.0),
        ("sign({x}) * sqrt(abs({x}))", "a root is taken of the size of {n}", 6.0),
        ("cbrt({x})", "a cube root is taken of {n}", 6.0),
        ("abs({x})**0.25", "a fourth root is taken of {n}", 6.0),
        ("tanh({x})", "{n} goes through tanh", 6.0),
        ("maximum({x}, 0.0)", "negative entries of {n} are set to 0", 6.0),
        ("where(({x}) * g > 0, {x}, 0.0)", "entries of {n} whose sign is not the gradient's are set to 0", 6.0),
        ("where(({x}) * g >= 0, {x}, 0.0)", "entries of {n} whose sign is against the gradient's are set to 0", 6.0),
    ):
        yield new.format(x=x), said.format(n=symbol), rank, False
    for kind in ("float16", "float32"):
        yield f"{kind}({x})", f"{symbol} is rounded to {kind}", 4, False
    if "eps" in rule.hyperparameters:
        yield f"{x} + eps", f"ε is added to {symbol}", 4, False
        yield f"maximum({x}, eps)", f"ε is a floor under {symbol}", 4, False
    for new, said, rank in (
        ("({x}) - mean({x})", "the mean over the array is subtracted from {n}", 4.0),
        ("({x}) - mean({x}, -1)", "the mean over each row is subtracted from {n}", 5.0),
        ("(({x}) - mean({x}, -1) if p.ndim > 1 else {x})", "of a matrix, the mean over each row is subtracted from {n}", 4.0),
        ("(({x}) - mean({x}) if p.ndim > 1 else {x})", "of a matrix, the mean is subtracted from {n}", 5.0),
        ("({x}) - mean({x}, 0)", "the mean over each column is subtracted from {n}", 5.0),
        ("mean({x}) + 0 * p", "the mean over the array stands where {n} should", 4.0),
        ("largest({x}) + 0 * p", "the largest entry of the array stands where {n} should", 4.0),
        ("total({x}) + 0 * p", "the sum over the array stands where {n} should", 4.0),
        ("norm({x}) + 0 * p", "the norm of {n} stands where {n} should", 4.0),
        ("rms({x}) + 0 * p", "the root mean square of {n} stands where {n} should", 5.0),
        ("mean({x}, -1) + 0 * p", "the mean over each row stands where {n} should", 5.0),
        ("mean({x}, 0) + 0 * p", "the mean over each column stands where {n} should", 5.0),
        ("sign({x}) * mean(abs({x}))", "the sign of {n} times its mean size stands where {n} should", 5.0),
    ):
        yield new.format(x=x), said.format(n=symbol), rank, True


OTHERS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "sqrt": (("cbrt({x})", "a cube root", False), ("abs({x})**0.25", "a fourth root", False), ("({x})**2", "a square", False), ("abs({x})", "the size", False)),
    "sign": (("tanh({x})", "tanh", False), ("cbrt({x})", "a cube root", False), ("sign({x}) * sqrt(abs({x}))", "a signed root", False), ("({x}) / maximum(norm({x}), 1e-30)", "the direction", True), ("({x}) / maximum(largest({x}), 1e-30)", "the share of the largest entry", True), ("({x}) / maximum(rms({x}), 1e-30)", "the quotient by the root mean square", True), ("({x}) / maximum(mean(abs({x})), 1e-30)", "the quotient by the mean size", True)),
    "norm": (("abs({x})", "the size of each entry", True), ("largest({x})", "the largest entry", True), ("total(abs({x}))", "the sum of sizes", True), ("mean(abs({x}))", "the mean size", True), ("norm({x})**2", "the square of the norm", True), ("total({x})", "the sum", True)),
    "abs": (("sqrt(abs({x}))", "a root", False), ("norm({x}) + 0 * p", "the norm", True), ("largest({x}) + 0 * p", "the largest size", True), ("mean(abs({x})) + 0 * p", "the mean size", True)),
    "rms": (("largest({x})", "the largest entry", True), ("mean(abs({x}))", "the mean size", True), ("rms({x})**2", "the mean square", True)),
}  # fmt: skip


def _functions(rule: Rule) -> Iterator[Wide]:
    """One function where another should be, and a product of two quantities where a square should."""
    arrays = ["p", "g", *(f"s.{n}" for n in like_slots(rule))]
    for place in places_of(rule):
        node, where = place.node, _where(place.line.target)
        if isinstance(node, ast.Call) and called(node) in OTHERS:
            inner = ast.unparse(node.args[0])
            for new, said, whole in OTHERS[called(node)]:
                name = f"{said} of {unicode_of(node.args[0])} stands where {place.symbol} should {where}"
                yield edit_at(place.line, place.put(new.format(x=inner)), name, 3, whole)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and place.array:
            base = ast.unparse(node.left)
            for other in arrays:
                for new in (f"{base} * {other}", f"abs({base} * {other})", f"({base} - {other})**2", f"({base} + {other})**2"):
                    if other != base:
                        name = f"{unicode_of(new)} stands where {place.symbol} should {where}"
                        yield edit_at(place.line, place.put(new), name, 3.5)
            for other in (x for x in arrays if "old_" not in x and x.startswith("s.") and x[2:] in place.line.defined):
                own = f"old_{other[2:]}"
                for new in (f"{base} * {own}", f"({base} - {own})**2", f"({base} - {own}) * ({base} - {other})"):
                    edit = edit_at(
                        place.line, place.put(new), f"{unicode_of(new)} stands where {place.symbol} should {where}", 4
                    )
                    keep = Change("start", f"{own} = {other}", "before")
                    yield replace(edit, changes=(keep, *edit.changes))


# ---- quantities of other steps


def _of_other_steps(rule: Rule) -> Iterator[Wide]:
    """p, g or a quantity made of them as it was a step before, or in the first step."""
    arrays = like_slots(rule)
    flags = [n for n, h in rule.hyperparameters.items() if h.default is False]
    for place in places_of(rule):
        if not place.name:
            continue
        where = _where(place.line.target)
        if place.text in ("p", "g"):
            name = place.text
            for slot in arrays if name == "g" else ():
                said = f"{unicode_of(slot)} is subtracted from g {where}"
                yield edit_at(place.line, place.put(f"g - s.{slot}"), said, 4)
                for flag in flags:
                    source = f"(({place.put(f'g - s.{slot}')}) if {flag} else ({place.line.source}))"
                    yield edit_at(place.line, source, f"with {unicode_of(flag)} {said}", 4)
            yield edit_at(place.line, place.put(f"last_{name}"), f"{name} of the step before is used {where}", 3)
            yield edit_at(place.line, place.put(f"s.first_{name}"), f"{name} of the first step is used {where}", 4)
        elif place.text == "lr":
            yield edit_at(
                place.line, place.put("s.first_lr"), f"the rate of the first step is kept: a later lr is ignored {where}", 3
            )
    yield from _late_quantities(rule)


def _late_quantities(rule: Rule) -> Iterator[Wide]:
    """A quantity of this step used in a later line as it was in the step before, 0 in the first."""
    lines = rule_lines(rule)
    for line in lines:
        if not line.array and line.target not in rule.slots and re.search(r"\blr\b", line.source):
            source = re.sub(r"\blr\b", "s.kept_", line.source)  # what was made of the rate stands where the rate should
            keep = Change(line.target, f"s.kept_ = {line.target}", "after", line.occurrence)
            set_ = Change(line.target, source, "set", line.occurrence)
            symbol = unicode_of(line.target)
            name = f"{symbol} of the step before stands where lr should {_where(line.target)}: it adds up"
            shown = (line.source, re.sub(r"\blr\b", f"old_{line.target}", line.source))
            yield Wide(line.target, (set_, keep), name, 3, False, {"kept_": Slot("lr", "scalar")}, shown)
        if not line.array or line.target in ("p", "g") or line.target in rule.slots:
            continue
        for place in places_of(rule):
            if place.text == line.target and place.line.number > line.number:
                keep = Change(line.target, f"late_ = s.late_\ns.late_ = {line.target}", "after", line.occurrence)
                set_ = Change(place.line.target, place.put("late_"), "set", place.line.occurrence)
                name = f"{unicode_of(line.target)} of the step before is used {_where(place.line.target)}"
                shown = (place.line.source, place.put(f"old_{line.target}"))
                yield Wide(place.line.target, (keep, set_), name, 4, False, {"late_": Slot()}, shown)


# ---- some steps, some arrays


WHEN = (
    (f"{STEP} == 1", "in the first step", 3.0, False),
    (f"{STEP} > 1", "after the first step", 3.0, False),
    (f"{STEP} <= 2", "in the first two steps", 6.0, False),
    ("p.ndim > 1", "for matrices", 4.0, True),
    ("p.ndim == 1", "for vectors", 4.0, True),
)


def _at_times(rule: Rule) -> Iterator[Wide]:
    """A likely edit that is made in some steps only, or for some arrays only."""
    lines = {(line.target, line.occurrence): line for line in rule_lines(rule)}
    for edit in plain_edits(rule):
        change = edit.changes[-1]
        line = lines.get((change.target, change.occurrence))
        kept = edit.changes[:-1]
        if change.kind == "after" and not kept and re.fullmatch(r"s\.\w+ = [\w.]+", change.source):  # something is stored
            slot, value = change.source.split(" = ")
            source = f"{slot} = {value} if {STEP} == 1 else {slot}"
            counted, renewed = slots_for(STEP)
            changes = (Change("start", renewed, "before"), replace(change, source=source))
            yield Wide(edit.target, changes, f"in the first step: {edit.name}", 3, edit.whole, counted, (slot, value))
        if (
            change.kind != "set"
            or edit.rank > 2
            or line is None
            or any(c.kind != "before" or c.target != "start" for c in kept)
        ):
            continue
        if kept:
            yield from _stale_at_first(edit, line, kept)
            continue
        for test, said, rank, whole in (*WHEN, *_with(rule)):
            source = f"(({change.source}) if {test} else ({line.source}))"
            yield edit_at(line, source, f"{said}: {edit.name}", rank + edit.rank - 1, whole or edit.whole)
    for line in rule_lines(rule):
        for new, said in _instead(line, rule):
            for test, when, rank, whole in WHEN[:5]:
                source = f"(({new}) if {test} else ({line.source}))"
                yield edit_at(line, source, f"{when} {said}", rank, whole)


def _stale_at_first(edit: Edit, line: Line, kept: Sequence[Change]) -> Iterator[Wide]:
    """An old value that is not used in the first step, where it is nothing."""
    source = edit.changes[-1].source
    for first, said in (
        ("0.0", "0 in the first step"),
        (line.source, "the first step apart"),
        (f"0.0 * ({line.source})", "0 at first"),
    ):
        made = edit_at(line, f"(({first}) if {STEP} == 1 else ({source}))", f"{edit.name}, {said}", 3)
        yield replace(made, changes=(*kept, *made.changes))


def _with(rule: Rule) -> Iterator[tuple[str, str, float, bool]]:
    """Options that are off by default: on, and off."""
    for name, h in rule.hyperparameters.items():
        symbol = unicode_of(name)
        if h.default is False:
            yield name, f"with {symbol}", 4.0, False
            yield f"not {name}", f"without {symbol}", 4.0, False
        elif isinstance(h.default, float) and h.default == 0:
            yield f"{name} > 0", f"with {symbol}", 4.0, False
            yield f"{name} == 0", f"without {symbol}", 4.0, False


def _instead(line: Line, rule: Rule) -> Iterator[tuple[str, str]]:
    """What a line may give where it does not give its value."""
    symbol = unicode_of(line.target)
    if line.target in rule.slots and line.array:
        yield f"s.{line.target}", f"{symbol} is not renewed"
        for new in ("g", "g**2", "abs(g)"):
            yield new, f"{symbol} is {unicode_of(new)}"
        yield "0 * g", f"{symbol} is 0"
    elif line.target in ("p", "g"):
        yield line.target, f"{symbol} stays as it is"
    elif line.array:
        yield "g", f"{symbol} is g"
        yield "0 * g", f"{symbol} is 0"


def _left_out(rule: Rule) -> Iterator[Wide]:
    """Entries whose gradient is 0 left as they are: p, the state, or both."""
    lines = rule_lines(rule)
    slots = [x for x in lines if x.target in rule.slots and x.array and rule.slots[x.target].shape == "like"]
    points = [x for x in lines if x.target == "p"]
    for test, said in (("g == 0", "entries without a gradient"), ("not (g != 0).any()", "arrays without a gradient")):
        for kept, what in ((slots, "keep their state"), (points, "keep their p"), ([*slots, *points], "are left out")):
            if not kept:
                continue
            changes = tuple(Change(x.target, _kept(x, rule, test), "set", x.occurrence) for x in kept)
            shown = (kept[-1].source, _kept(kept[-1], rule, test))
            yield Wide(kept[-1].target, changes, f"{said} {what}", 4, "any" in test, {}, shown)


def _kept(line: Line, rule: Rule, test: str) -> str:
    own = f"s.{line.target}" if line.target in rule.slots else line.target
    return f"where({test}, {own}, {line.source})" if "any" not in test else f"({own} if {test} else ({line.source}))"
