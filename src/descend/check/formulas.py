"""Expressions as trees: places in them, something else put there, and how people write them."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

from descend.equations import _Unicode

__all__ = ["POWERS", "Path", "at", "call", "called", "parse", "paths", "unicode_of", "with_new"]

#: The running powers of our rules, as they are written.
POWERS = {"k1": "β₁ᵗ", "k2": "β₂ᵗ", "k3": "β₃ᵗ"}


def unicode_of(node: ast.expr | str) -> str:
    """An expression as people write it."""
    made = parse(node) if isinstance(node, str) else node
    if isinstance(node, str) and isinstance(made, ast.Tuple):
        return "the sums"
    try:
        return _Unicode(POWERS).write(made)
    except KeyError:  # signs that no rule has
        return ast.unparse(made).replace("s.", "")


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def call(name: str, *args: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


def parse(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


Path = tuple[tuple[str, int | None], ...]


def paths(node: ast.AST, here: Path = ()) -> Iterator[Path]:
    """Every place in an expression; of a call, its arguments and not its name."""
    yield here
    for name, value in ast.iter_fields(node):
        if (isinstance(node, ast.Call) and name == "func") or isinstance(node, ast.Attribute):
            continue
        if isinstance(value, ast.expr):
            yield from paths(value, (*here, (name, None)))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.expr):
                    yield from paths(item, (*here, (name, i)))


def at(node: ast.expr, path: Path) -> ast.expr:
    found: Any = node
    for name, i in path:
        found = getattr(found, name) if i is None else getattr(found, name)[i]
    return found  # type: ignore[no-any-return]


def with_new(node: ast.expr, path: Path, new: ast.expr) -> ast.expr:
    if not path:
        return copy.deepcopy(new)
    made = copy.deepcopy(node)
    parent: Any = at(made, path[:-1])
    name, i = path[-1]
    if i is None:
        setattr(parent, name, copy.deepcopy(new))
    else:
        getattr(parent, name)[i] = copy.deepcopy(new)
    return made
