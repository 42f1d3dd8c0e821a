"""Expressions people type, such as `x² + 3y²`: parsed, never evaluated as Python.

    >>> e = parse("x**2 + 3*y**2")
    >>> e.text, e.variables, float(e([4.0, 3.0]))
    ('x² + 3y²', ('x', 'y'), 43.0)

Understood: numbers, + − * / ^ ** and brackets, `2x`, `2xy`, `x²`, `√x`, `|x|`, `sin x`, the functions in
`descend.objectives.functions`, and the constants pi, e and tau. `log` is the natural logarithm. See `grammar` for what binds
tighter, and `tokens` for how a name such as `xy` is read. The printed form always shows how an expression was read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from descend.errors import DescendError
from descend.objectives.functions import integer_power, library_for
from descend.objectives.grammar import Node, parse_tokens
from descend.objectives.tokens import marked, tokenize

__all__ = ["Expression", "natural_order", "parse"]

Array = Any
#: The most variables an expression may have.
MOST_VARIABLES = 1000
_LARGEST_INTEGER_POWER = 2**31


class _Step(NamedTuple):
    """One instruction of the stack machine that evaluates an expression."""

    op: str
    arity: int = 0
    value: float = 0.0
    place: int = 0


@dataclass(frozen=True, eq=False)
class Expression:
    """A parsed expression; call it with its variables' values in one array of shape (n,), ordered as in `variables`.

    Works on NumPy, JAX (traced too) and torch arrays and on plain lists. Two expressions are equal when they read the same.

    >>> parse("x^2 + x*y")([3.0, 2.0])
    np.float64(15.0)
    """

    source: str
    nodes: tuple[Node, ...] = field(repr=False)
    variables: tuple[str, ...]
    #: Sentences about what could also have been read in another way.
    notes: tuple[str, ...] = ()

    def __call__(self, p: Array) -> Array:
        if isinstance(p, list | tuple | float | int):
            p = np.asarray(p, float)
        n = len(self.variables)
        if p.ndim == 0 and n == 1:
            return self.evaluate([p])
        if p.ndim != 1 or p.shape[0] != n:
            raise DescendError(
                f"{self.text} takes {n} coordinate{'s' * (n != 1)} ({', '.join(self.variables)}); got shape {tuple(p.shape)}"
            )
        return self.evaluate([p[i] for i in range(n)])

    def evaluate(self, values: list[Array]) -> Array:
        """The value for one number or array per variable, all of one library."""
        return _run(self._steps, values)

    def numpy(self, *arrays: Any) -> Any:
        """The value on NumPy arrays, one per variable, elementwise: for grids.

        >>> parse("x² + y").numpy(np.array([0.0, 1.0, 2.0]), 1.0)
        array([1., 2., 5.])
        """
        if len(arrays) != len(self.variables):
            raise DescendError(
                f"{self.text} takes {len(self.variables)} arrays ({', '.join(self.variables)}); got {len(arrays)}"
            )
        with np.errstate(all="ignore"):
            return _run(self._steps, [np.asarray(a, float)[()] for a in arrays])

    @cached_property
    def _steps(self) -> tuple[_Step, ...]:
        return _compile(self.nodes, self.variables)

    @cached_property
    def text(self) -> str:
        """The expression as mathematics, as it was read: `x² + 3y²`."""
        from descend.objectives.printing import pretty

        return pretty(self.nodes)

    def latex(self) -> str:
        """The expression in LaTeX."""
        from descend.objectives.printing import latex

        return latex(self.nodes)

    def sympy(self) -> Any:
        """The expression as a SymPy one, with real symbols named as in `variables`."""
        from descend.objectives.symbolic import to_sympy

        return to_sympy(self.nodes)

    def gradient(self) -> tuple[Expression, ...]:
        """The partial derivatives, one expression per variable, derived by SymPy.

        >>> [d.text for d in parse("3x² + 2xy + y³").gradient()]
        ['6x + 2y', '2x + 3y²']
        """
        from descend.objectives.symbolic import derivative

        return tuple(derivative(self, name) for name in self.variables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.text == other.text and self.variables == other.variables

    def __hash__(self) -> int:
        return hash((self.text, self.variables))

    def __str__(self) -> str:
        return self.text


def parse(text: str, known: Iterable[str] = (), *, constant: bool = False) -> Expression:
    """Read an expression; a `DescendError` shows the place of whatever is wrong.

    Names in `known` are variables as they stand, even where they do not occur; `constant` allows an expression without any.

    >>> parse("3x²+2xy+y³").text
    '3x² + 2xy + y³'
    """
    if not isinstance(text, str):
        raise DescendError(f"an expression is text; got {type(text).__name__}")
    known = tuple(known)
    nodes, notes = parse_tokens(text, tokenize(text, frozenset(known)))
    _refuse_infinities(text, nodes)
    found = {node.text for node in nodes if node.op == "variable"}
    variables = known + tuple(sorted(found - set(known), key=natural_order))
    if len(variables) > MOST_VARIABLES:
        raise DescendError(f"the expression has {len(variables)} variables; at most {MOST_VARIABLES} are read")
    if not variables and not constant:
        value = fold_constants(nodes)[-1]
        raise DescendError(f"{text.strip()!r} is constant (always {value:g}): it has no variable to descend in")
    return Expression(text, nodes, variables, notes)


def natural_order(name: str) -> tuple[Any, ...]:
    """Sort key: x2 before x10, and letters in alphabetical order.

    >>> sorted(["y", "x10", "x2", "x"], key=natural_order)
    ['x', 'x2', 'x10', 'y']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((int(p), "") if p.isdigit() else (-1, p.lower()) for p in parts if p), name


def fold_constants(nodes: tuple[Node, ...]) -> list[float | None]:
    """The value of each node that holds no variable; None for the others."""
    library = library_for(0.0)
    values: list[float | None] = []
    with np.errstate(all="ignore"):
        for node in nodes:
            args = [values[i] for i in node.args]
            if node.op == "variable" or any(a is None for a in args):
                values.append(None)
            elif node.op in ("number", "constant"):
                values.append(node.value)
            else:
                values.append(_constant(node, [np.float64(a) for a in args], library))
    return values


def _constant(node: Node, args: list[Any], library: Any) -> float:
    if node.op == "^" and float(args[1]).is_integer() and 0 <= args[1] < _LARGEST_INTEGER_POWER:
        return float(integer_power(args[0], int(args[1]))) if args[1] else 1.0
    return float(library[node.op](*args))


def _refuse_infinities(text: str, nodes: tuple[Node, ...]) -> None:
    """Divisions by zero and parts without a finite value are refused where they stand."""
    values = fold_constants(nodes)
    for node, value in zip(nodes, values, strict=True):
        start, end = node.span
        part = text[start:end].strip()
        part = part if len(part) <= 60 else part[:57] + "…"
        if node.op == "/" and values[node.args[1]] == 0:
            raise marked(f"division by zero: {part}", text, start, end)
        if value is None or math.isfinite(value):
            continue
        if math.isnan(value):
            raise marked(f"this part is not a real number: {part}", text, start, end)
        raise marked(f"this part is not finite: {part}", text, start, end)


def _compile(nodes: tuple[Node, ...], variables: tuple[str, ...]) -> tuple[_Step, ...]:
    """Instructions for the stack machine: constants folded, whole powers as multiplications, e^u as exp."""
    constants = fold_constants(nodes)
    index = {name: i for i, name in enumerate(variables)}
    programs: list[list[_Step]] = []
    for node, constant in zip(nodes, constants, strict=True):
        args = [programs[i] for i in node.args]
        if constant is not None:
            programs.append([_Step("number", value=constant)])
        elif node.op == "variable":
            programs.append([_Step("variable", place=index[node.text])])
        else:
            programs.append(_compose(node, args, [constants[i] for i in node.args]))
        for i in node.args:
            programs[i] = []  # each part belongs to one whole; long sums would otherwise be kept at every length
    return tuple(programs[-1])


def _compose(node: Node, args: list[list[_Step]], constants: list[float | None]) -> list[_Step]:
    program = args[0]  # extended in place: the parts are not needed again
    if node.op == "^":
        exponent = constants[1]
        if exponent is not None and exponent.is_integer() and abs(exponent) < _LARGEST_INTEGER_POWER:
            program.append(_Step("power", 1, place=int(exponent)))
            return program
        if constants[0] == math.e:
            args[1].append(_Step("exp", 1))
            return args[1]
    for more in args[1:]:
        program += more
    program.append(_Step(node.op, len(args)))
    return program


def _run(steps: tuple[_Step, ...], values: list[Array]) -> Array:
    library = library_for(next((v for v in values if not isinstance(v, float | int)), 0.0))
    stack: list[Any] = []
    for op, arity, value, place in steps:
        if op == "number":
            stack.append(value)
        elif op == "variable":
            stack.append(values[place])
        elif op == "power":
            stack.append(_whole_power(stack.pop(), place, library["ones"]))
        elif arity == 1:
            stack.append(library[op](stack.pop()))
        else:
            args = stack[-arity:]
            del stack[-arity:]
            stack.append(library[op](*args))
    return stack[0]


def _whole_power(x: Array, n: int, ones: Callable[[Array], Array]) -> Array:
    if n == 0:
        return ones(x)
    return integer_power(x, n) if n > 0 else 1.0 / integer_power(x, -n)
