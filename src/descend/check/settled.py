"""A form of a rule with its options settled: no line asks any more which form it is, and a name for another name is gone.

People write one form. An edit of a line that chooses between two is none they would make, and reads like none.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from descend.check.variants import Candidate, function_of, rule_tree

__all__ = ["settled"]

_MADE: dict[tuple[int, frozenset[str]], tuple[Candidate, Candidate]] = {}


def settled(ref: Candidate, open_: frozenset[str]) -> Candidate:
    """The same form with every option settled but those in `open_`, which the user's optimizer takes as arguments."""
    key = (id(ref), open_ & set(ref.rule.hyperparameters))
    if key not in _MADE:
        _MADE[key] = (ref, _made(ref, open_))
    return _MADE[key][1]


def _made(ref: Candidate, open_: frozenset[str]) -> Candidate:
    rule = ref.rule
    known = {n: ref.fixed.get(n, h.default) for n, h in rule.hyperparameters.items() if n not in open_ or n in ref.fixed}
    known = {n: v for n, v in known.items() if isinstance(v, bool | str)}
    if rule.sums:
        return ref
    definition = copy.deepcopy(rule_tree(rule))
    before = ast.unparse(definition)
    definition = ast.fix_missing_locations(_Settle(known).visit(definition))
    if ast.unparse(definition) == before:
        return ref
    _without_copies(definition)
    function = function_of(rule, ast.fix_missing_locations(definition))
    return replace(ref, rule=replace(rule, function=function), _cache={})


class _Settle(ast.NodeTransformer):
    """Of a choice whose condition is known, what is chosen."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        names = {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
        if names and names <= set(self.known):
            test = compile(ast.fix_missing_locations(ast.Expression(node.test)), "<option>", "eval")
            chosen = node.body if eval(test, dict(self.known)) else node.orelse  # our own source, never a user's text
            found: ast.expr = self.visit(chosen)
            return found
        self.generic_visit(node)
        return node


def _without_copies(definition: ast.FunctionDef) -> None:
    """Lines that set a name to itself, or to another name that stays what it is, are left out."""
    body = definition.body
    for i, line in reversed(list(enumerate(body))):
        if not isinstance(line, ast.Assign) or len(line.targets) != 1:
            continue
        target, value = line.targets[0], line.value
        if ast.unparse(target) == ast.unparse(value):
            del body[i]
        elif isinstance(target, ast.Name) and isinstance(value, ast.Name):
            rest = body[i + 1 :]
            if target.id not in ("p", "g") and not any(_sets(later, {target.id, value.id}) for later in rest):
                for later in rest:
                    _Rename(target.id, value.id).visit(later)
                del body[i]


def _sets(line: ast.stmt, names: set[str]) -> bool:
    return isinstance(line, ast.Assign) and any(isinstance(t, ast.Name) and t.id in names for t in line.targets)


class _Rename(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.new, node.ctx) if node.id == self.old else node
