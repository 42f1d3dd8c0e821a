"""Edits of more than one place: a factor or a power taken from one line into a later one, a mean in place of a maximum."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence

from descend.check.formulas import Path, at, call, called, parse, paths, unicode_of, with_new

__all__ = ["ahead", "carried", "in_place", "line_wide"]

Lines = Sequence[tuple[str, int, ast.expr]]
#: Line and new source, of the earlier and of the later line; what was done; how seldom.
Carried = tuple[tuple[int, str], tuple[int, str], str, int]


def carried(lines: Lines, slots: Sequence[str]) -> Iterator[Carried]:
    """What stands in the equation for x and should not, and is done to x where it is used: g² averaged or the mean squared."""
    for i, (target, _, value) in enumerate(lines):
        name = f"s.{target}" if target in slots else target
        if not name.replace(".", "").isidentifier() or target in ("k1", "k2", "k3", "t"):
            continue
        for path in paths(value):
            for without, wrap, said in _taken(at(value, path)):
                earlier = ast.unparse(ast.fix_missing_locations(with_new(value, path, without)))
                for j, (other, _, later) in enumerate(lines[i + 1 :], i + 1):
                    if other == target:
                        break
                    uses = [q for q in paths(later) if ast.unparse(at(later, q)) == name]
                    if not uses:
                        continue
                    made = copy.deepcopy(later)
                    for q in sorted(uses, key=len, reverse=True):
                        made = with_new(made, q, _wrapped(wrap, parse(name)))
                    source = ast.unparse(ast.fix_missing_locations(made))
                    symbol, where = unicode_of(target), unicode_of(other)
                    told = f"{said} in the equation for {where}, and not in that for {symbol}"
                    yield (i, earlier), (j, source), told, 2
                    break


def ahead(lines: Lines, slots: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """A slot used as it is after this step where it should be as before: line, new source, what was done."""
    for i, (_, _, value) in enumerate(lines):
        made: list[str] = []
        for target, _, new in lines[i + 1 :]:
            name = f"s.{target}"
            uses = [q for q in paths(value) if ast.unparse(at(value, q)) == name]
            names = {n.id for n in ast.walk(new) if isinstance(n, ast.Name)}
            if target in slots and target not in made and uses and not names & set(made):
                changed = copy.deepcopy(value)
                for q in uses:
                    changed = with_new(changed, q, copy.deepcopy(new))
                said = f"{unicode_of(target)} is used as it is after this step, and not before it,"
                yield i, ast.unparse(ast.fix_missing_locations(changed)), said
            made.append(target)


def in_place(lines: Lines, slots: Sequence[str]) -> Iterator[tuple[int, str, str, str, str]]:
    """What is made of a slot on the way to another quantity, left in the slot: line, slot, source, rest of the line, words."""
    for i, (target, _, value) in enumerate(lines):
        for path in paths(value):
            node = at(value, path)
            if not path or not isinstance(node, ast.BinOp | ast.Call):
                continue
            first = node.left if isinstance(node, ast.BinOp) else node.args[0] if node.args else node
            for slot in slots:
                if slot != target and (ast.unparse(first) == f"s.{slot}" or _scaled(node, slot)):
                    rest = ast.unparse(ast.fix_missing_locations(with_new(value, path, parse(f"s.{slot}"))))
                    said = f"{unicode_of(node)} is made in place: it stays in {unicode_of(slot)}"
                    yield i, slot, ast.unparse(node), rest, said


def _scaled(node: ast.expr, slot: str) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and ast.unparse(node.right) == f"s.{slot}"


def _taken(node: ast.expr) -> Iterator[tuple[ast.expr, ast.expr, str]]:
    """A node without its factor, divisor, power or function; the hole `_` put into that; and what it is called."""
    hole = ast.Name("_", ast.Load())
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for factor, rest in ((node.left, node.right), (node.right, node.left)):
            if not isinstance(factor, ast.Constant):
                yield rest, ast.BinOp(copy.deepcopy(factor), ast.Mult(), hole), f"{unicode_of(factor)} is multiplied"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield (
            node.left,
            ast.BinOp(hole, ast.Div(), copy.deepcopy(node.right)),
            f"the division by {unicode_of(node.right)} is done",
        )
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
        yield node.left, ast.BinOp(hole, ast.Pow(), node.right), f"the square of {unicode_of(node.left)} is taken"
    elif isinstance(node, ast.Call) and called(node) in ("sqrt", "abs", "sign"):
        word = {"sqrt": "the root", "abs": "the size", "sign": "the sign"}[called(node)]
        yield node.args[0], call(called(node), hole), f"{word} of {unicode_of(node.args[0])} is taken"


def _wrapped(wrap: ast.expr, name: ast.expr) -> ast.expr:
    """The hole filled."""
    made = copy.deepcopy(wrap)
    place: Path = next(q for q in paths(made) if ast.unparse(at(made, q)) == "_")
    return with_new(made, place, name)


def line_wide(whole: ast.expr, target: str, slots: Sequence[str]) -> Iterator[tuple[ast.expr, str, int]]:
    """Another kind of memory in the place of the one there is."""
    old = f"s.{target}"
    symbol = unicode_of(target)
    for path in paths(whole):
        node = at(whole, path)
        if isinstance(node, ast.Call) and called(node) == "maximum" and len(node.args) == 2:
            for keep, new in (node.args, node.args[::-1]):
                yield from _averaged(whole, path, keep, new, old, symbol)
    if target in slots and isinstance(whole, ast.BinOp) and isinstance(whole.op, ast.Add):
        kept, new = whole.left, whole.right
        if old in ast.unparse(kept):
            bare = new.right if isinstance(new, ast.BinOp) and isinstance(new.op, ast.Mult) else new
            yield call("maximum", kept, bare), "a maximum stands where the mean should", 3
            yield call("maximum", parse(old), bare), "the largest so far stands where the mean should", 3


def _averaged(
    whole: ast.expr, path: Path, keep: ast.expr, new: ast.expr, old: str, symbol: str
) -> Iterator[tuple[ast.expr, str, int]]:
    if isinstance(keep, ast.BinOp) and isinstance(keep.op, ast.Mult) and ast.unparse(keep.right) == old:
        weighted = parse(f"(1 - {ast.unparse(keep.left)}) * ({ast.unparse(new)})")
        said = "a running mean stands where the maximum should"
        yield with_new(whole, path, ast.BinOp(keep, ast.Add(), weighted)), said, 1
