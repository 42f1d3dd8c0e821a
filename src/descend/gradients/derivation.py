"""An expression's gradient, derived, evaluated, checked against differences and explained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.gradients.calculus import ChainCheck, RuleUse, chain_check, rules_used
from descend.gradients.differences import STEPS, DifferenceTable, difference_table
from descend.gradients.layout import columns, number, size
from descend.objectives.expression import Expression, parse

__all__ = ["ChainCheck", "Derivation", "describe"]

#: The most variables a gradient is derived for one by one.
MOST_VARIABLES = 50
#: A partial derivative longer than this has lines of its own.
_WIDEST = 80


@dataclass(frozen=True)
class Derivation:
    """A gradient derived by rule, its value at a point, and the evidence. Print it to read it."""

    expression: Expression
    at: np.ndarray
    value: float
    #: One partial derivative per variable.
    partials: tuple[Expression, ...]
    #: Their values: shape (n,), like the point.
    gradient: np.ndarray
    table: DifferenceTable | None
    rules: tuple[RuleUse, ...]
    chain: ChainCheck | None
    #: Why parts are missing (a point where there is no derivative), and how ambiguous parts were read.
    notes: tuple[str, ...] = ()

    @property
    def norm(self) -> float:
        """The gradient's Euclidean length: the slope in the steepest direction."""
        return float(np.linalg.norm(self.gradient))

    @property
    def steepest(self) -> np.ndarray | None:
        """The direction of steepest ascent, of length 1; None where the gradient is zero or not finite."""
        return self.gradient / self.norm if math.isfinite(self.norm) and self.norm > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """As strict JSON: what is not finite is null."""
        rows = self.table.rows if self.table else ()
        return {
            "objective": self.expression.text,
            "variables": list(self.expression.variables),
            "at": _finite(self.at),
            "value": _finite(self.value),
            "gradient": {
                "symbolic": [p.text for p in self.partials],
                "latex": [p.latex() for p in self.partials],
                "value": _finite(self.gradient),
                "norm": _finite(self.norm),
                "shape": list(self.gradient.shape),
                "steepest_ascent": None if self.steepest is None else _finite(self.steepest),
            },
            "differences": [
                {
                    "h": row.h,
                    "forward": _finite(row.forward),
                    "central": _finite(row.central),
                    "forward_error": _finite(row.forward_error),
                    "central_error": _finite(row.central_error),
                }
                for row in rows
            ],
            "rules": [asdict(rule) | {"where": list(rule.where)} for rule in self.rules],
            "chain": None if self.chain is None else asdict(self.chain) | {"forgotten": self.chain.forgotten},
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        parts = [self._heading(), self._gradient_lines(), self._difference_lines(), self._chain_lines(), self._rule_lines()]
        parts.append([f"note: {note}" for note in self.notes])
        return "\n\n".join("\n".join(lines) for lines in parts if lines)

    def _heading(self) -> list[str]:
        names = self.expression.variables
        shown = ", ".join(names) if len(names) <= 8 else f"{names[0]}, …, {names[-1]}"
        where = ", ".join(f"{n} = {_short(v)}" for n, v in zip(names, self.at, strict=True)) if len(names) <= 8 else "the point"
        return [f"f({shown}) = {self.expression.text}", f"at {where}:  f = {number(self.value)}"]

    def _gradient_lines(self) -> list[str]:
        names = self.expression.variables
        if len(names) == 1:
            text, value = self.partials[0].text, number(float(self.gradient[0]))
            same = value in (text, f"{text}.0")
            lines = [f"derivative  df/d{names[0]} = {value if same else f'{text} = {value}'}"]
            return lines + self._framings()
        triples = list(zip(names, self.partials, self.gradient, strict=True))
        lines = [f"gradient  (shape {tuple(self.gradient.shape)}, like the point)"]
        if max(len(p.text) for p in self.partials) <= _WIDEST:
            rows = [[f"∂f/∂{n}", p.text, number(float(g))] for n, p, g in triples]
            lines += columns([*rows, ["norm", "", number(self.norm)]], "<<>")
        else:
            rows = [[f"∂f/∂{n}", number(float(g))] for n, _, g in triples]
            lines += [f"  ∂f/∂{n} = {p.text}" for n, p, _ in triples] + columns([*rows, ["norm", number(self.norm)]], "<>")
        if self.steepest is not None and len(names) <= 8:
            uphill = ", ".join(number(float(v), 4) for v in self.steepest)
            lines.append(f"  steepest ascent ({uphill}); gradient descent steps the other way")
        elif self.norm == 0 and not (self.table and self.table.jumps()):
            lines.append("  the gradient is zero: a minimum, a maximum or a saddle")
        return lines

    def _framings(self) -> list[str]:
        """One number, three readings."""
        slope, x, name = float(self.gradient[0]), float(self.at[0]), self.expression.variables[0]
        if not (math.isfinite(slope) and math.isfinite(self.value)):
            return []
        if slope == 0:
            if self.table is not None and self.table.jumps():
                return []
            return ["  the slope is zero: a minimum, a maximum or a level stretch"]
        offset = f"({name} {'−' if x >= 0 else '+'} {_short(abs(x))})" if x else name
        direction = "falls" if slope < 0 else "rises"
        rows = [
            ["rate of change", f"per unit of {name}, f {direction} by {number(abs(slope))} here"],
            ["tangent", f"the line {number(self.value)} {'+' if slope >= 0 else '−'} {number(abs(slope))}·{offset}"],
            ["sensitivity", f"wiggle {name} by 0.001 and f moves by about {number(slope * 0.001, 4)}"],
        ]
        return columns(rows, "<<")

    def _difference_lines(self) -> list[str]:
        if self.table is None:
            return []
        lines = ["finite differences: forward (f(x+h) − f(x))/h, the secant's slope; central (f(x+h) − f(x−h))/2h"]
        lines += self.table.lines()
        if self.table.jumps():
            return [*lines, "  there is a jump here: no h gives the slope"]
        kind, h, error = self.table.nearest()
        if error > 0:
            said = (
                f"{kind} at h = {h:g}, relative error {size(error)}. Larger h: the curve bends. Smaller h: rounding takes over."
            )
            lines.append(f"  nearest: {said}")
        elif self.table.rows[0].central_error > 0 or kind == "forward":  # else the central one is right at any h
            lines.append(f"  nearest: {kind} at h = {h:g}, where it meets the gradient to the last digit")
        return lines

    def _chain_lines(self) -> list[str]:
        c = self.chain
        if c is None:
            return []
        name = self.expression.variables[0]
        letter = "u" if name != "u" else "v"
        rows = [
            ["outer slope", f"d/d{letter} {c.outer} at {letter} = {number(c.u)}", number(c.outer_slope)],
            ["inner slope", f"d/d{name} ({c.inner})", number(c.inner_slope)],
            ["product", "the derivative", number(c.exact)],
            ["secant", f"h = {c.h:g}", number(c.secant)],
            ["inner forgotten", "the usual mistake", number(c.forgotten)],
        ]
        return [f"chain rule on {c.part}, with {letter} = {c.inner}", *columns(rows, "<<>")]

    def _rule_lines(self) -> list[str]:
        if not self.rules:
            return []
        rows = [[rule.name, rule.formula, rule.why] for rule in self.rules]
        return ["rules used", *columns(rows, "<<<")]


def _short(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def _finite(value: Any) -> Any:
    """Numbers as JSON: lists of floats, null for what is not finite."""
    if isinstance(value, np.ndarray):
        return [_finite(float(v)) for v in value]
    return float(value) if math.isfinite(value) else None


def describe(expression: Expression | str, at: Sequence[float] | np.ndarray, hs: Sequence[float] = STEPS) -> Derivation:
    """Derive the gradient of an expression and look at it at one point, shape (n,).

    >>> derivation = describe("x² + 3y²", [4.0, 3.0])
    >>> [p.text for p in derivation.partials], derivation.gradient
    (['2x', '6y'], array([ 8., 18.]))
    """
    expression = parse(expression) if isinstance(expression, str) else expression
    point = np.asarray(at, float)
    n = len(expression.variables)
    if point.shape != (n,):
        names = f" ({', '.join(expression.variables)})" if n <= 12 else ""
        raise DescendError(f"the point has shape {point.shape}; {expression.text} takes {n} coordinate{'s' * (n != 1)}{names}")
    if not np.all(np.isfinite(point)):
        raise DescendError("the point holds a number that is not finite")
    if n > MOST_VARIABLES:
        raise DescendError(f"the expression has {n} variables; up to {MOST_VARIABLES} are derived one by one")
    partials = expression.gradient()
    value = float(expression.numpy(*point))
    gradient = np.array([float(p.numpy(*point)) for p in partials])
    notes = list(expression.notes)
    table = None
    if not math.isfinite(value):
        notes.append(f"{expression.text} has no finite value at this point, so there is no slope")
    elif not np.all(np.isfinite(gradient)):
        where = ", ".join(v for v, g in zip(expression.variables, gradient, strict=True) if not math.isfinite(g))
        notes.append(f"there is no derivative at this point in {where}: a corner, a cusp or a vertical slope")
    else:
        table = difference_table(expression, gradient, point, hs, expression.variables)
        notes += _kinks(expression, table)
    chain = chain_check(expression, float(point[0])) if n == 1 else None
    return Derivation(expression, point, value, partials, gradient, table, rules_used(expression), chain, tuple(notes))


def _kinks(expression: Expression, table: DifferenceTable) -> list[str]:
    """Jumps, and differences between left and right slope that do not shrink with h."""
    jumps = dict(table.jumps())
    scale = max(float(np.linalg.norm(table.gradient)), 1e-12)
    fine = [row for row in table.rows if 1e-7 < row.h < 1e-3]
    found = []
    for name, height in jumps.items():
        way = "up" if height > 0 else "down"
        found.append(f"in {name} the function jumps {way} by {number(abs(height), 4)} at this point: there is no slope here")
    for i, name in enumerate(expression.variables):
        if name in jumps:
            continue
        gaps = [abs(row.forward[i] - row.central[i]) for row in fine]
        if fine and min(gaps) > 1e-2 * max(scale, abs(fine[-1].forward[i])) and max(gaps) < 1.5 * min(gaps):
            left, right = 2 * fine[-1].central[i] - fine[-1].forward[i], fine[-1].forward[i]
            slopes = f"{number(float(left), 4)} to the left, {number(float(right), 4)} to the right"
            found.append(f"in {name} the point stands on a kink: slope {slopes}; the value given lies between")
    return found
