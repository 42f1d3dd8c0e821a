"""Every place in the lines of a rule where something else may stand: what stands there, and the line with a hole in it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from descend.check.formulas import POWERS, at, called, parse, paths, unicode_of, with_new
from descend.check.variants import rule_tree
from descend.rules import COUNT, START, ZERO, Rule, Slot

__all__ = ["KEPT", "STEP", "Line", "Place", "array_slots", "like_slots", "line_of", "places_of", "rule_lines", "slots_for"]

HOLE = "hole_"
#: The number of the step, from 1, where an edit needs it.
STEP = "s.step"
#: What is kept for edits that use it: slot, and the lines that renew it before everything else in a step.
KEPT: dict[str, tuple[Slot, str]] = {
    "step": (COUNT, "s.step = s.step + 1"),
    "first_p": (START, ""),
    "last_p": (START, "last_p = s.last_p\ns.last_p = p"),
    "last_g": (ZERO, "last_g = s.last_g\ns.last_g = g"),
    "first_g": (ZERO, "s.first_g = where(s.seen_g == 0, g, s.first_g)\ns.seen_g = 1.0"),
    "seen_g": (COUNT, ""),
}
REDUCED = ("norm", "rms", "total", "mean", "largest")


@dataclass(frozen=True)
class Line:
    """One assignment: what it defines, which time, its value, what is defined before it, and whether that is an array."""

    number: int
    target: str
    occurrence: int
    value: ast.expr
    defined: tuple[str, ...]
    array: bool

    @cached_property
    def source(self) -> str:
        return ast.unparse(self.value)


@dataclass(frozen=True)
class Place:
    """An expression of a line, and the line with a hole in its place."""

    line: Line
    node: ast.expr
    hole: str
    array: bool
    top: bool

    @cached_property
    def text(self) -> str:
        return ast.unparse(self.node)

    @property
    def symbol(self) -> str:
        return unicode_of(self.node)

    @property
    def name(self) -> bool:
        """Whether it is one quantity and no formula."""
        return isinstance(self.node, ast.Name | ast.Attribute | ast.Constant)

    def put(self, new: str) -> str:
        """The line's value with something else in the place."""
        return self.hole.replace(HOLE, f"({new})")


def array_slots(rule: Rule) -> list[str]:
    """Slots that hold an array for each parameter, of its shape or of a part of it."""
    return [n for n, s in rule.slots.items() if s.power_of is None and not s.counts and s.shape != "scalar"]


def like_slots(rule: Rule) -> list[str]:
    """Those that have the parameter's own shape."""
    return [n for n in array_slots(rule) if rule.slots[n].shape == "like"]


def _target(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)


@lru_cache(maxsize=128)
def rule_lines(rule: Rule) -> tuple[Line, ...]:
    """Every line with one target."""
    arrays = {"g", "p", *array_slots(rule)}
    counts: dict[str, int] = {}
    defined = ["g", "p"]
    found = []
    statements = [s for s in rule_tree(rule).body if isinstance(s, ast.Assign)]
    for number, statement in enumerate(statements):
        target = _target(statement.targets[0])
        value = statement.value
        array = _is_array(value, arrays)
        if target.isidentifier() and not isinstance(value, ast.Yield | ast.Tuple):
            found.append(Line(number, target, counts.get(target, 0), value, tuple(defined), array))
            if array:
                arrays.add(target)
        counts[target] = counts.get(target, 0) + 1
        defined.append(target)
    return tuple(found)


def _is_array(node: ast.AST, arrays: set[str]) -> bool:
    """Whether an expression has an entry for each of the parameter's."""
    if isinstance(node, ast.Call) and called(node) in REDUCED and len(node.args) == 1:
        return False
    if isinstance(node, ast.Name):
        return node.id in arrays
    if isinstance(node, ast.Attribute):
        return node.attr in arrays and ast.unparse(node).startswith("s.")
    if isinstance(node, ast.Call):
        return any(_is_array(a, arrays) for a in node.args)
    return any(_is_array(child, arrays) for child in ast.iter_child_nodes(node))


@lru_cache(maxsize=128)
def places_of(rule: Rule) -> tuple[Place, ...]:
    """All places of all lines, but for tests and what a call is named by."""
    arrays = {"g", "p", *array_slots(rule)}
    found = []
    for line in rule_lines(rule):
        for path in paths(line.value):
            node = at(line.value, path)
            if not isinstance(node, ast.BinOp | ast.Call | ast.Name | ast.Attribute | ast.Constant | ast.UnaryOp | ast.IfExp):
                continue
            if isinstance(node, ast.Constant) and (isinstance(node.value, bool | str) or node.value is None):
                continue
            hole = ast.unparse(ast.fix_missing_locations(with_new(line.value, path, ast.Name(HOLE, ast.Load()))))
            found.append(Place(line, node, hole, _is_array(node, arrays), not path))
        if line.array:
            arrays.add(line.target)
    return tuple(found)


def line_of(rule: Rule, target: str, source: str) -> str:
    """A line as people write it."""
    sign = "←" if target in rule.slots or target in ("p", "g") else "="
    written = re.sub(r"\bstep\b", "t", unicode_of(parse(source)))
    return f"{POWERS.get(target, unicode_of(target))} {sign} {written}"


def slots_for(sources: str) -> tuple[dict[str, Slot], str]:
    """The slots that an edit's text uses, and the lines that renew them."""
    names = [n for n in KEPT if re.search(rf"\b{n}\b", sources) and (n != "step" or STEP in sources)]
    if "first_g" in names:
        names.append("seen_g")
    slots = {n: KEPT[n][0] for n in names}
    for name in ("lr",):
        if f"s.first_{name}" in sources:
            slots[f"first_{name}"] = Slot(name, "scalar")
    return slots, "\n".join(KEPT[n][1] for n in names if KEPT[n][1])
