"""Every rule with one small edit: a term or factor left out, a sign turned, a name exchanged, an old value used.

The catalogue knows the mistakes people are known to make. What it does not know is looked for here, among all neighbours of
the rule that differ in one place; a neighbour is named by its edit and its two equations.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Any
from weakref import WeakKeyDictionary

from descend.check.formulas import POWERS, at, call, called, parse, paths, unicode_of, with_new
from descend.check.mistake import Mistake
from descend.check.rewrites import ahead, carried, in_place, line_wide
from descend.check.variants import Candidate, Change, quick, rule_tree
from descend.errors import DescendError
from descend.rules import Rule

__all__ = ["HINT", "Edit", "Edited", "doubled_candidates", "edited_candidates", "plain_edits"]

#: Hyperparameters that may be taken for each other.
SHARES = ("beta1", "beta2", "beta3", "momentum", "rho", "dampening", "w")
RATES = ("lr", "eps", "weight_decay", "eps1", "eps2", "eta", "rate", "d", "alpha", "d_coef")
NORMS = ("norm", "rms", "total", "mean")


@dataclass(frozen=True)
class Edit:
    """One place of one line, written otherwise; or the same in two lines, or a line in another place."""

    target: str
    changes: tuple[Change, ...]
    #: What was done, in words.
    name: str
    #: How seldom: the order in which edits that fit are told.
    rank: int
    whole: bool = False
    #: The equation as it should be and as it is, where the changed lines say it less well.
    shown: tuple[str, str] | None = None


Replacement = tuple[ast.expr, str, int, str, bool]


def edited_candidates(ref: Candidate) -> list[Candidate]:
    """Every rule one edit away from a reference or dialect, most likely edits first."""
    if ref not in _POOLS:
        _POOLS[ref] = _made(ref)
    return _POOLS[ref]


_POOLS: WeakKeyDictionary[Candidate, list[Candidate]] = WeakKeyDictionary()


def doubled_candidates(ref: Candidate) -> list[Candidate]:
    """Every rule with two likely edits in different places of one line."""
    rule, found = ref.rule, []
    slots = [n for n, s in rule.slots.items() if s.power_of is None and not s.counts]
    for target, occurrence, statement, defined in _assignments(rule):
        value = statement.value
        parts = [
            (path, new, said, rank)
            for path in paths(value)
            for new, said, rank, keep, norms in _ways(at(value, path), rule, slots, defined, target)
            if rank <= 2 and not keep and not norms
        ]
        for (one, new, said, rank), (other, another, also, seldom) in combinations(parts, 2):
            if one[: len(other)] == other or other[: len(one)] == one:
                continue
            source = ast.unparse(ast.fix_missing_locations(with_new(with_new(value, one, new), other, another)))
            changes = (Change(target, source, "set", occurrence),)
            name = f"{said.removesuffix(',')} and {also.removesuffix(',')} {_where(target)}"
            entry = Edited(rule.name, target, name, changes, "", HINT, parent=rule, rank=10 * rank * seldom, fixed=ref.fixed)
            found.append(Candidate(rule, "mistake", name, ref.fixed, (entry,), ref.whole, ref.source, True, ref))
    return found


def _line_of(rule: Rule, target: str, value: ast.expr) -> str:
    """A line as people write it."""
    sign = "←" if target in rule.slots or target in ("p", "g") else "="
    return f"{POWERS.get(target, unicode_of(target))} {sign} {unicode_of(value)}"


CHOICE = re.compile(r"\(((?:[^()]|\([^()]*\))*?) if (\w+) else ((?:[^()]|\([^()]*\))*)\)")


def _chosen(written: str, fixed: Mapping[str, Any]) -> str:
    """Of what a switch chooses between, what it chooses."""
    return CHOICE.sub(lambda found: found[1] if fixed.get(found[2]) else found[3], written)


def _aged(written: str) -> str:
    """Old values under the sign people know."""
    written = re.sub(r"raw_?g", "∇f", written)
    return re.sub(r"(?:old|raw)_?(\w\u0302?)", r"\1ₜ₋₁", written)


def _made(ref: Candidate) -> list[Candidate]:
    found = []
    for edit in _edits(ref.rule):
        try:
            rule = quick(ref.rule, edit.changes, {})
        except (IndexError, StopIteration, DescendError, SyntaxError):
            continue
        name = _chosen(edit.name, ref.fixed)
        about: dict[str, Any] = {"written": edit.shown, "parent": ref.rule, "rank": edit.rank, "fixed": ref.fixed}
        entry = Edited(ref.rule.name, edit.target, name, edit.changes, "", HINT, **about)
        found.append(Candidate(rule, "mistake", name, ref.fixed, (entry,), ref.whole or edit.whole, ref.source, True, ref))
    return found


HINT = "Write down each equation of the rule beside yours, term by term."


@dataclass(frozen=True, eq=False)
class Edited(Mistake):
    """A mistake that is in no catalogue: its equations are read from the rule it was made in."""

    parent: Any = None
    rank: int = 0
    #: Switches that the form it was made in holds.
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> Rule:
        rule: Rule = self.parent
        return rule

    @cached_property
    def equations(self) -> tuple[list[str], list[str]]:
        """The lines that differ; an old value under its own sign, where the lines read the same without."""
        if self.written is not None:
            return [self.written[0]], [self.written[1]]
        right, wrong = super().equations
        if right and wrong and not any(re.search(r"old|raw", line) for line in wrong):
            return right, wrong
        return self._as_changed()

    def _as_changed(self) -> tuple[list[str], list[str]]:
        texts = [(target, statement.value) for target, _, statement, _ in _assignments(self.base)]
        right, wrong = [], []
        for change in [c for c in self.changes if c.kind == "set"]:
            places = [value for target, value in texts if target == change.target]
            right.append(_chosen(_line_of(self.base, change.target, places[change.occurrence]), self.fixed))
            wrong.append(_chosen(_aged(_line_of(self.base, change.target, parse(change.source))), self.fixed))
        return right, wrong

    @property
    def values(self) -> dict[str, Any]:
        """Every term in use: what is off by default is on."""
        known = self.base.hyperparameters
        return {k: 0.5 for k, h in known.items() if isinstance(h.default, float) and h.default == 0} | super().values


def plain_edits(rule: Rule) -> tuple[Edit, ...]:
    """All edits of a rule, the likeliest first."""
    return _edits(rule)


@lru_cache(maxsize=64)
def _edits(rule: Rule) -> tuple[Edit, ...]:
    seen: dict[tuple[str, int, str], Edit] = {}
    same: dict[str, dict[tuple[str, int], Edit]] = {}
    for target, occurrence, statement, defined in _assignments(rule):
        for expression, said, rank, keep, whole in _rewritten(statement.value, target, rule, defined):
            source = ast.unparse(ast.fix_missing_locations(expression))
            kept = (Change("start", keep, "before"),) if keep else ()
            changes = (*kept, Change(target, source, "set", occurrence))
            edit = Edit(target, changes, f"{said} {_where(target)}", rank, whole)
            key = (target, occurrence, source)
            if key not in seen or seen[key].rank > rank:
                seen[key] = edit
            same.setdefault(said, {}).setdefault((target, occurrence), edit)
    found = [*seen.values(), *_alike(same), *_moved(rule), *_stored(rule), *_carried(rule)]
    return tuple(sorted(found, key=lambda e: e.rank))


def _assignments(rule: Rule) -> list[tuple[str, int, ast.Assign, list[str]]]:
    """Every line: what it defines, for which time, and what is defined before it."""
    counts: dict[str, int] = {}
    defined = ["g", "p"]
    found = []
    for statement in rule_tree(rule).body:
        if isinstance(statement, ast.Assign):
            target = _target(statement.targets[0])
            found.append((target, counts.get(target, 0), statement, list(defined)))
            counts[target] = counts.get(target, 0) + 1
            defined.append(target)
    return found


def _carried(rule: Rule) -> list[Edit]:
    """A factor, a power or a function that is in a later line and not where it belongs."""
    lines = _assignments(rule)
    plain = [(target, occurrence, statement.value) for target, occurrence, statement, _ in lines]
    found = []
    for (i, first), (j, second), said, rank in carried(plain, list(rule.slots)):
        (target, place, _, _), (other, later, _, _) = lines[i], lines[j]
        changes = (Change(target, first, "set", place), Change(other, second, "set", later))
        found.append(Edit(target, changes, said, rank))
    arrays = [n for n, s in rule.slots.items() if s.power_of is None and not s.counts and s.shape == "like"]
    for i, slot, made, rest, said in in_place(plain, arrays):
        target, place, _, _ = lines[i]
        if slot == target:
            continue
        changes = (Change(target, f"s.{slot} = {made}", "before", place), Change(target, rest, "set", place))
        shown = (
            _line_of(rule, target, plain[i][2]),
            f"{unicode_of(slot)} ← {unicode_of(parse(made))}, then {_line_of(rule, target, parse(rest))}",
        )
        found.append(Edit(slot, changes, said, 2, shown=shown))
    for i, source, said in ahead(plain, list(rule.slots)):
        target, place, _, _ = lines[i]
        found.append(Edit(target, (Change(target, source, "set", place),), f"{said} {_where(target)}", 1))
    return found


def _where(target: str) -> str:
    return f"in the equation for {unicode_of(target)}"


def _alike(same: dict[str, dict[tuple[str, int], Edit]]) -> list[Edit]:
    """The same edit in every line that allows it: what was misunderstood once is written twice."""
    found = []
    for said, places in same.items():
        edits = list(places.values())
        if len(edits) < 2 or edits[0].rank > 4:
            continue
        changes = tuple(dict.fromkeys(c for e in edits for c in e.changes))
        targets = " and ".join(dict.fromkeys(unicode_of(e.target) for e in edits))
        found.append(
            Edit(
                edits[0].target,
                changes,
                f"{said} in the equations for {targets}",
                edits[0].rank + 1,
                any(e.whole for e in edits),
            )
        )
    return found


def _moved(rule: Rule) -> list[Edit]:
    """A line that comes after another and not before it."""
    lines, found = _assignments(rule), []
    for i, (target, occurrence, statement, _) in enumerate(lines):
        for other, place, later, _ in lines[i + 1 :]:
            stay = f"s.{target}" if target in rule.slots else target
            if not stay.replace(".", "").isidentifier() or (target not in rule.slots and target not in ("p", "g")):
                continue
            changes = (Change(target, stay, "set", occurrence), Change(other, ast.unparse(statement), "after", place))
            symbols = [POWERS.get(n, unicode_of(n)) for n in (target, other)]
            said = f"{symbols[0]} is renewed after {symbols[1]} and not before it"
            if other == target:
                said = f"the lines for {symbols[0]} have changed places"
            first, second = (_line_of(rule, n, s.value) for n, s in ((target, statement), (other, later)))
            shown = (f"{first}, then {second}", f"{second}, then {first}")
            found.append(Edit(target, changes, said, 2, shown=shown))
    return found


def _stored(rule: Rule) -> list[Edit]:
    """Something made of a slot written back into it, as when both are one array changed in place."""
    lines, found = _assignments(rule), []
    arrays = [n for n, s in rule.slots.items() if s.power_of is None and not s.counts]
    for slot in arrays:
        for target, occurrence, _, _ in lines:
            if target == slot or not target.isidentifier() or target in ("k1", "k2", "k3"):
                continue
            value = f"s.{target}" if target in rule.slots else target
            changes = (Change(target, f"s.{slot} = {value}", "after", occurrence),)
            said = f"{unicode_of(target)} is stored in place of {unicode_of(slot)}"
            found.append(Edit(slot, changes, said, 3))
        last, place = [(target, occurrence) for target, occurrence, _, _ in lines][-1]
        told = f"the gradient as it came is kept in place of {unicode_of(slot)}, once the step is made"
        found.append(Edit(slot, (Change(last, f"s.{slot} = g", "after", place),), told, 3))
    return found


def _target(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)


def _rewritten(whole: ast.expr, target: str, rule: Rule, defined: Sequence[str]) -> Iterator[Replacement]:
    """The right-hand side with one place changed, for every place and every way."""
    slots = [n for n, s in rule.slots.items() if s.power_of is None and not s.counts]
    for path in paths(whole):
        for new, name, rank, keep, norms in _ways(at(whole, path), rule, slots, defined, target):
            yield with_new(whole, path, new), name, rank, keep, norms
    for new, name, rank in line_wide(whole, target, slots):
        yield new, name, rank, "", False
    yield from _twice(whole, rule, slots, defined, target)
    if target in rule.slots:
        yield parse(f"s.{target}"), f"{unicode_of(target)} is never renewed", 3, "", False
    for factor in [h for h in (*SHARES, "lr") if h in rule.hyperparameters]:
        symbol = unicode_of(factor)
        yield parse(f"({ast.unparse(whole)}) * {factor}"), f"everything is multiplied by {symbol}", 5, "", False
        if factor != "lr":
            yield parse(f"({ast.unparse(whole)}) * (1 - {factor})"), f"everything is multiplied by 1 − {symbol}", 5, "", False


def _twice(whole: ast.expr, rule: Rule, slots: Sequence[str], defined: Sequence[str], target: str) -> Iterator[Replacement]:
    """Likely edits of one kind in two places of one line: what was misunderstood once is written twice."""
    kinds: dict[str, list[tuple[Any, ast.expr]]] = {}
    for path in paths(whole):
        for new, name, rank, keep, norms in _ways(at(whole, path), rule, slots, defined, target):
            if rank == 1 and not keep and not norms:
                kinds.setdefault(name, []).append((path, new))
    for name, found in kinds.items():
        apart = [f for f in found if not any(f is not o and f[0][: len(o[0])] == o[0] for o in found)]
        if len(apart) > 1:
            made = whole
            for path, new in apart:
                made = with_new(made, path, new)
            yield made, f"everywhere, {name}", 2, "", False


def _ways(node: ast.expr, rule: Rule, slots: Sequence[str], defined: Sequence[str], target: str) -> Iterator[Replacement]:
    if isinstance(node, ast.BinOp):
        yield from _of_binary(node)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        yield from _of_number(node)
    elif isinstance(node, ast.Name | ast.Attribute):
        yield from _of_name(node, rule, slots, defined, target)


def _of_binary(node: ast.BinOp) -> Iterator[Replacement]:
    left, right = node.left, node.right
    a, b = unicode_of(left), unicode_of(right)
    if isinstance(node.op, ast.Add | ast.Sub):
        minus = isinstance(node.op, ast.Sub)
        yield left, f"the term {b} is missing", 1, "", False
        yield (ast.UnaryOp(ast.USub(), right) if minus else right), f"the term {a} is missing", 1, "", False
        yield ast.BinOp(left, ast.Add() if minus else ast.Sub(), right), f"the term {b} has the wrong sign", 1, "", False
        yield ast.BinOp(left, ast.Mult(), right), f"{a} and {b} are multiplied", 6, "", False
        yield from _exchanged(node)
        factors = _product(right)
        if len(factors) > 1:  # for numbers as they are written, so that the same slip in two lines is one
            bracket = ast.BinOp(left, node.op, factors[0])
            said = f"the bracket closes too early, after {unicode_of(bracket)},"
            yield _joined([bracket, *factors[1:]]), said, 2, "", False
        for term, rest in ((right, left), (left, right)):  # a factor of one term that has got outside the bracket
            if isinstance(term, ast.BinOp) and isinstance(term.op, ast.Mult):
                for factor, inner in ((term.left, term.right), (term.right, term.left)):
                    bracket = ast.BinOp(rest, node.op, inner) if term is right else ast.BinOp(inner, node.op, rest)
                    said = f"the factor {unicode_of(factor)} is multiplied to the term {unicode_of(rest)} too,"
                    yield ast.BinOp(factor, ast.Mult(), bracket), said, 2, "", False
        yield ast.BinOp(ast.UnaryOp(ast.USub(), left), node.op, right), f"the term {a} has the wrong sign", 2, "", False
    elif isinstance(node.op, ast.Mult):
        yield left, f"the factor {b} is missing", 1, "", False
        yield right, f"the factor {a} is missing", 1, "", False
        yield ast.BinOp(left, ast.Div(), right), f"{b} divides and does not multiply", 2, "", False
        yield ast.BinOp(right, ast.Div(), left), f"{a} divides and does not multiply", 3, "", False
        yield ast.BinOp(left, ast.Add(), right), f"{a} and {b} are added and not multiplied", 6, "", False
        yield from _distributed(node)
    elif isinstance(node.op, ast.Div):
        yield left, f"the division by {b} is missing", 1, "", False
        yield ast.BinOp(left, ast.Mult(), right), f"{b} multiplies and does not divide", 2, "", False
        yield ast.BinOp(right, ast.Div(), left), f"{a} and {b} have changed places in the quotient", 3, "", False
        yield ast.BinOp(left, ast.Div(), call("sqrt", right)), f"a root is taken of {b}", 3, "", False
        yield ast.BinOp(left, ast.Div(), ast.BinOp(right, ast.Pow(), ast.Constant(2))), f"{b} is squared", 3, "", False
        yield from _floors(node)
    elif isinstance(node.op, ast.Pow):
        if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add | ast.Sub | ast.Mult):  # a power of a part of it
            factors = _product(left.right)
            power = ast.BinOp(factors[-1], ast.Pow(), right)
            said = f"the power stands at {unicode_of(factors[-1])} and not at {a}"
            yield ast.BinOp(left.left, left.op, _joined([*factors[:-1], power])), said, 2, "", False
        if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add | ast.Sub) and len(factors) > 1:
            said = f"the power stands at {unicode_of(left.right)} and not at {a}"
            yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, ast.Pow(), right)), said, 2, "", False
        exponent = _product(right)
        for i, factor in enumerate(exponent if len(exponent) > 1 else []):
            power = ast.BinOp(left, ast.Pow(), _joined([x for k, x in enumerate(exponent) if k != i]))
            said = f"{unicode_of(factor)} multiplies the power and does not stand in the exponent"
            yield ast.BinOp(power, ast.Mult(), factor), said, 2, "", False
        yield left, f"the power of {a} is missing", 2, "", False
        if not isinstance(right, ast.Constant):
            said = f"{a} and {b} have changed places in the power"
            yield ast.BinOp(call("abs", right), ast.Pow(), left), said, 2, "", False
        yield call("abs", left), f"|{a}| stands where a power should", 2, "", False
        averaged, summed = call("mean", node), call("total", node)
        yield averaged, f"the mean over all entries stands where {unicode_of(node)} should", 3, "", True
        yield summed, f"the sum over all entries stands where {unicode_of(node)} should", 3, "", True


def _exchanged(node: ast.BinOp) -> Iterator[Replacement]:
    """A factor at the other term, two terms with each other's factors, a sum made twice."""
    left, right = node.left, node.right
    a, b = _product(left), _product(right)
    for i, factor in enumerate(b):
        if len(b) > 1:
            moved = _joined([factor, *a]), _joined([x for k, x in enumerate(b) if k != i])
            said = f"the factor {unicode_of(factor)} is multiplied to {unicode_of(left)} and not to what is added to it"
            yield ast.BinOp(moved[0], node.op, moved[1]), said, 2, "", False
    for i, factor in enumerate(a):
        if len(a) > 1:
            rest = _joined([x for k, x in enumerate(a) if k != i])
            said = f"the factor {unicode_of(factor)} is multiplied to {unicode_of(right)} and not to what it is added to"
            yield ast.BinOp(rest, node.op, _joined([factor, *b])), said, 2, "", False
    if len(a) > 1 and len(b) > 1:
        for x, y in ((0, 0), (-1, -1)):
            one, other = list(a), list(b)
            one[x], other[y] = b[y], a[x]
            said = f"{unicode_of(a[x])} and {unicode_of(b[y])} have changed places"
            yield ast.BinOp(_joined(one), node.op, _joined(other)), said, 1, "", False
    if len(b) > 1 and isinstance(node.op, ast.Add):
        again = ast.BinOp(left, ast.Add(), _joined([*b[:-1], node]))
        yield again, f"{unicode_of(node)} is made twice", 2, "", False


def _product(node: ast.expr) -> list[ast.expr]:
    """The factors of a product, what divides it left with the last of them."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_product(node.left), node.right]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.left, ast.BinOp):
        first = _product(node.left)
        return [*first[:-1], ast.BinOp(first[-1], ast.Div(), node.right)]
    return [node]


def _joined(factors: Sequence[ast.expr]) -> ast.expr:
    made = factors[0]
    for factor in factors[1:]:
        made = ast.BinOp(made, ast.Mult(), factor)
    return made


def _distributed(node: ast.BinOp) -> Iterator[Replacement]:
    """A factor outside a bracket that reaches its first or its last term only."""
    for factor, bracket in ((node.left, node.right), (node.right, node.left)):
        if isinstance(bracket, ast.BinOp) and isinstance(bracket.op, ast.Add | ast.Sub):
            name = unicode_of(factor)
            first = ast.BinOp(ast.BinOp(factor, ast.Mult(), bracket.left), bracket.op, bracket.right)
            last = ast.BinOp(bracket.left, bracket.op, ast.BinOp(factor, ast.Mult(), bracket.right))
            yield first, f"{name} is not multiplied to the term {unicode_of(bracket.right)}", 2, "", False
            yield last, f"{name} is not multiplied to the term {unicode_of(bracket.left)}", 2, "", False


def _floors(node: ast.BinOp) -> Iterator[Replacement]:
    """√v + ε below a fraction line, with ε elsewhere."""
    below = node.right
    if not (isinstance(below, ast.BinOp) and isinstance(below.op, ast.Add)):
        return
    root, eps = below.left, below.right
    if isinstance(root, ast.Call) and called(root) == "sqrt":
        inside = call("sqrt", ast.BinOp(root.args[0], ast.Add(), eps))
        square = call("sqrt", ast.BinOp(root.args[0], ast.Add(), ast.BinOp(eps, ast.Pow(), ast.Constant(2))))
        floor = call("maximum", root, eps)
        for new, name in (
            (inside, "stands inside the root"),
            (square, "is squared inside the root"),
            (floor, "is a floor under the root"),
        ):
            yield ast.BinOp(node.left, ast.Div(), new), f"{unicode_of(eps)} {name}", 1, "", False


def _of_call(node: ast.Call) -> Iterator[Replacement]:
    kind, args = called(node), node.args
    if kind == "sqrt":
        yield args[0], f"the root of {unicode_of(args[0])} is missing", 1, "", False
        yield call("sqrt", node), f"the root of {unicode_of(args[0])} is taken twice", 4, "", False
        if isinstance(args[0], ast.BinOp) and isinstance(args[0].op, ast.Add):
            out = ast.BinOp(call("sqrt", args[0].left), ast.Add(), args[0].right)
            yield out, f"{unicode_of(args[0].right)} stands outside the root", 1, "", False
    elif kind in ("maximum", "minimum") and len(args) == 2:
        other = "minimum" if kind == "maximum" else "maximum"
        a, b = unicode_of(args[0]), unicode_of(args[1])
        yield args[0], f"{b} is not compared with", 2, "", False
        yield args[1], f"{a} is not compared with", 2, "", False
        yield call(other, *args), f"the {other} is taken of {a} and {b}", 2, "", False
        yield ast.BinOp(args[0], ast.Add(), args[1]), f"{a} and {b} are added and not compared", 3, "", False
    elif kind == "where" and len(args) == 3:
        yield args[1], f"{unicode_of(args[1])} is used without a condition", 3, "", False
        yield args[2], f"{unicode_of(args[2])} is used without a condition", 3, "", False
    elif kind in NORMS and args:
        yield from _of_norm(node, kind)
    elif kind in ("abs", "sign"):
        yield (
            args[0],
            f"{unicode_of(args[0])} stands without {'its size' if kind == 'abs' else 'its sign'} being taken",
            2,
            "",
            False,
        )
        if kind == "abs":
            yield (
                ast.BinOp(args[0], ast.Pow(), ast.Constant(2)),
                f"the square of {unicode_of(args[0])} stands where its size should",
                2,
                "",
                False,
            )


def _of_norm(node: ast.Call, kind: str) -> Iterator[Replacement]:
    words = {"norm": "the norm", "rms": "the root mean square", "total": "the sum", "mean": "the mean"}
    for other in NORMS:
        if other != kind:
            new = ast.Call(
                ast.Name(other, ast.Load()),
                node.args if other in ("total", "mean") or kind in ("norm", "rms") else node.args[:1],
                [],
            )
            yield new, f"{words[other]} stands where {words[kind]} should", 2, "", True
    inner = node.args[0]
    if kind == "norm":
        yield ast.BinOp(node, ast.Pow(), ast.Constant(2)), "the root of the norm is missing", 2, "", True
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add) and isinstance(inner.left, ast.BinOp):
        power, rest = inner.left, inner.right
        if isinstance(power.op, ast.Pow):
            squared = ast.BinOp(ast.Call(node.func, [power.left, *node.args[1:]], []), ast.Pow(), power.right)
            yield ast.BinOp(squared, ast.Add(), rest), f"{words[kind]} is squared, and not what it is taken of", 2, "", True
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Pow):
        outside = ast.BinOp(ast.Call(node.func, [inner.left, *node.args[1:]], []), ast.Pow(), inner.right)
        yield outside, f"{words[kind]} is squared, and not what it is taken of", 2, "", True


def _of_number(node: ast.Constant) -> Iterator[Replacement]:
    value = float(node.value)  # type: ignore[arg-type]
    made = {value + 1, value - 1, 2 * value, 0.5 * value, -value, 0.0, 1.0} - {value}
    for other in sorted(made):
        yield (
            ast.Constant(int(other) if other == int(other) else other),
            f"{other:g} stands where {value:g} should",
            4,
            "",
            False,
        )


def _of_name(node: ast.expr, rule: Rule, slots: Sequence[str], defined: Sequence[str], target: str) -> Iterator[Replacement]:
    text = ast.unparse(node)
    own, symbol = text.removeprefix("s."), unicode_of(node)
    if own in rule.slots and rule.slots[own].power_of:
        yield from _of_power(text, own, symbol, rule)
        return
    if own in SHARES or own in RATES:
        yield from _of_scalar(own, symbol, rule)
    if own in RATES and target in rule.slots and rule.slots[target].shape == "scalar":
        yield parse(f"s.{target}"), f"{unicode_of(target)} of the step before stands where {symbol} should", 1, "", False
    if own in rule.slots and rule.slots[own].counts:
        for new, said in ((f"({text} + 1)", "t + 1"), (f"({text} - 1)", "t − 1")):
            yield parse(new), f"{said} stands where t should", 2, "", False
        return
    if own not in (*slots, *defined):
        return
    arrays = ["g", "p", *(f"s.{n}" for n in slots), *(d for d in defined if d not in rule.slots and d.isidentifier())]
    for other in dict.fromkeys(arrays):
        if other != text:
            yield parse(other), f"{unicode_of(parse(other))} stands where {symbol} should", 2, "", False
    if own in slots and own in defined:
        yield parse(f"old_{own}"), f"{symbol} is used as it was before this step,", 1, f"old_{own} = s.{own}", False
    if own in ("p", "g") and defined.count(own) > 1:
        said = (
            "the gradient is used as it was before the decay was added to it,"
            if own == "g"
            else "p is used as it was before this step,"
        )
        yield parse(f"raw_{own}"), said, 1, f"raw_{own} = {own}", False
    for wrapped, said in (
        (f"abs({text})", "the size of {} is taken"),
        (f"sign({text})", "the sign of {} is taken"),
        (f"{text}**2", "{} is squared"),
        (f"sqrt({text})", "a root is taken of {}"),
    ):
        yield parse(wrapped), said.format(symbol), 4, "", False


def _of_scalar(own: str, symbol: str, rule: Rule) -> Iterator[Replacement]:
    if own in SHARES:
        yield parse(f"(1 - {own})"), f"1 − {symbol} stands where {symbol} should", 1, "", False
        for other in SHARES:
            if other != own and other in rule.hyperparameters:
                yield parse(other), f"{unicode_of(other)} stands where {symbol} should", 1, "", False
    for new, said in (
        (f"{own}**2", "is squared"),
        (f"sqrt({own})", "is under a root"),
        (f"(2 * {own})", "counts twice"),
        (f"(0.5 * {own})", "is halved"),
        ("0.0", "is left out"),
    ):
        yield parse(new), f"{symbol} {said}", 3, "", False


def _of_power(text: str, own: str, symbol: str, rule: Rule) -> Iterator[Replacement]:
    beta = rule.slots[own].power_of
    b = unicode_of(beta or "")
    for other in [n for n, s in rule.slots.items() if s.power_of and n != own]:
        yield parse(f"s.{other}"), f"{unicode_of(rule.slots[other].power_of or '')}ᵗ stands where {b}ᵗ should", 1, "", False
    for new, said in (
        (f"({beta} * {text})", "t + 1 stands where t should"),
        (f"({text} / {beta})", "t − 1 stands where t should"),
        (f"{beta}", f"{b} stands where {b}ᵗ should"),
        (f"{text}**2", "2t stands where t should"),
        ("0.0", f"{b}ᵗ is left out"),
    ):
        yield parse(new), said, 1, "", False
