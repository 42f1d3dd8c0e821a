"""The rules a derivative was made with, found in the formula, each with why a trainer meets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from descend.errors import DescendError
from descend.objectives.expression import Expression, fold_constants
from descend.objectives.grammar import Node, subtree
from descend.objectives.printing import pretty

__all__ = ["RULES", "ChainCheck", "RuleUse", "chain_check", "rules_used"]


@dataclass(frozen=True)
class RuleUse:
    """A rule of differentiation, where the expression uses it, and why it matters in training."""

    name: str
    formula: str
    why: str
    where: tuple[str, ...] = ()


RULES: dict[str, RuleUse] = {
    rule.name: rule
    for rule in (
        RuleUse("constant", "c′ = 0", "adding a constant to a loss changes no step"),
        RuleUse("constant factor", "(c·u)′ = c·u′", "a loss twice as large is a learning rate twice as large"),
        RuleUse("power", "(uⁿ)′ = n·uⁿ⁻¹·u′", "squared errors: the pull is proportional to the error"),
        RuleUse("sum", "(u + v)′ = u′ + v′", "a batch's gradient is its examples' summed; a penalty adds its own"),
        RuleUse("product", "(u·v)′ = u′·v + u·v′", "gates and attention: each factor scales the other's gradient"),
        RuleUse("quotient", "(u/v)′ = (u′·v − u·v′)/v²", "normalising by a size that depends on the weights itself"),
        RuleUse("chain", "f(u)′ = f′(u)·u′", "backpropagation, layer by layer; fifty factors of 0.25 leave 8e-31"),
        RuleUse("exponential", "(eᵘ)′ = eᵘ·u′", "softmax and sigmoid: it is its own slope, so large inputs explode"),
        RuleUse("logarithm", "(ln u)′ = u′/u", "cross-entropy: near a probability of 0 its slope grows without bound"),
        RuleUse("root", "(√u)′ = u′/(2√u)", "norms: no finite slope where the norm is 0"),
        RuleUse("trigonometric", "(sin u)′ = cos u·u′", "ripples: many minima, and slopes of either sign"),
        RuleUse("sigmoid", "σ(u)′ = σ(u)(1 − σ(u))·u′", "saturation: far from 0 the slope vanishes (tanh alike)"),
        RuleUse(
            "kink",
            "|u|′ = sign(u)·u′",
            "no single slope at the corner: any value between the two is taken",
        ),
        RuleUse(
            "step", "floor(u)′ = sign(u)′ = 0", "rounding and counting pass no gradient back: nothing is learnt through them"
        ),
        RuleUse("special function", "erf(u)′ = 2e^(−u²)/√π·u′", "GELU and its relatives"),
    )
}
_BY_FUNCTION = {
    **dict.fromkeys(("exp",), "exponential"),
    **dict.fromkeys(("log", "log2", "log10"), "logarithm"),
    **dict.fromkeys(("sqrt", "cbrt", "hypot"), "root"),
    **dict.fromkeys(("sin", "cos", "tan", "asin", "acos", "atan", "atan2"), "trigonometric"),
    **dict.fromkeys(("sigmoid", "tanh", "softplus"), "sigmoid"),
    **dict.fromkeys(("abs", "relu", "max", "min"), "kink"),
    **dict.fromkeys(("sign", "floor", "ceil", "step"), "step"),
}
_OPERATORS = ("+", "-", "*", "/", "^", "neg")


def rules_used(expression: Expression) -> tuple[RuleUse, ...]:
    """The rules that derive this expression, in the order of `RULES`, with up to three places each.

    >>> from descend.objectives.expression import parse
    >>> [rule.name for rule in rules_used(parse("5x³ − 2x + 7"))]
    ['constant', 'constant factor', 'power', 'sum']
    """
    nodes = expression.nodes
    places: dict[str, list[str]] = {}
    for name, root in _uses(nodes):
        found = places.setdefault(name, [])
        if len(found) < 3:
            part = pretty(subtree(nodes, root))
            found += [part] if part not in found and len(part) <= 40 else []
    return tuple(replace(rule, where=tuple(places[name])) for name, rule in RULES.items() if name in places)


def _uses(nodes: tuple[Node, ...]) -> Iterator[tuple[str, int]]:
    constants = fold_constants(nodes)
    for root, node in enumerate(nodes):
        if constants[root] is not None or node.op == "variable":
            continue
        fixed = [constants[i] is not None for i in node.args]
        if node.op in "+-":
            yield "sum", root
            for i, still in zip(node.args, fixed, strict=True):
                if still:
                    yield "constant", i
        elif node.op == "*":
            yield ("constant factor" if any(fixed) else "product"), root
        elif node.op == "/":
            yield ("constant factor" if fixed[1] else "quotient"), root
        elif node.op == "^":
            yield ("power" if fixed[1] else "exponential"), root
        elif node.op != "neg":
            yield _BY_FUNCTION.get(node.op, "special function"), root
        if _composed(nodes, root, constants):
            yield "chain", root


def _composed(nodes: tuple[Node, ...], root: int, constants: list[float | None]) -> bool:
    """A power or function of something that is more than a variable."""
    node = nodes[root]
    inner = [i for i in node.args if constants[i] is None]
    is_function = node.op == "^" or node.op not in (*_OPERATORS, "number", "constant", "variable")
    return is_function and len(inner) == 1 and nodes[inner[0]].op != "variable"


@dataclass(frozen=True)
class ChainCheck:
    """The chain rule at one point, in numbers: outer slope times inner slope, beside the secant."""

    part: str
    inner: str
    outer: str
    at: float
    u: float
    outer_slope: float
    inner_slope: float
    exact: float
    h: float
    secant: float

    @property
    def forgotten(self) -> float:
        """What comes out when the inner factor is forgotten."""
        return self.outer_slope


def chain_check(expression: Expression, at: float, h: float = 0.01) -> ChainCheck | None:
    """The outermost f(u(x)) of an expression of one variable, checked; None where there is none.

    >>> from descend.objectives.expression import parse
    >>> check = chain_check(parse("(3x+1)²"), 0.0)
    >>> round(check.secant, 10), check.exact, check.forgotten
    (6.09, 6.0, 2.0)
    """
    if len(expression.variables) != 1:
        return None
    nodes, constants = expression.nodes, fold_constants(expression.nodes)
    root = next((i for i in reversed(range(len(nodes))) if _composed(nodes, i, constants)), None)
    if root is None:
        return None
    whole = subtree(nodes, root)
    fixed = fold_constants(whole)
    centre = next(i for i in whole[-1].args if fixed[i] is None)
    part = Expression(expression.source, whole, expression.variables)
    inner = Expression(expression.source, subtree(whole, centre), expression.variables)
    name = "u" if expression.variables != ("u",) else "v"
    outer = Expression(expression.source, _with_variable(whole, centre, name), (name,))
    try:
        slope_of_outer, slope_of_inner = outer.gradient()[0], inner.gradient()[0]
    except DescendError:
        return None
    u = float(inner.numpy(at))
    outer_slope, inner_slope = float(slope_of_outer.numpy(u)), float(slope_of_inner.numpy(at))
    secant = float((part.numpy(at + h) - part.numpy(at)) / h)
    if not np.all(np.isfinite([u, outer_slope, inner_slope, secant])):
        return None
    exact = outer_slope * inner_slope
    return ChainCheck(part.text, inner.text, outer.text, at, u, outer_slope, inner_slope, exact, h, secant)


def _with_variable(nodes: tuple[Node, ...], part: int, name: str) -> tuple[Node, ...]:
    """The formula with one part replaced by a variable."""
    gone = len(subtree(nodes, part)) - 1
    first = part - gone
    kept = [*nodes[:first], Node("variable", text=name), *nodes[part + 1 :]]
    return tuple(replace(n, args=tuple(i if i < first else i - gone for i in n.args)) for n in kept)
