"""Expressions in SymPy and back: symbolic derivatives. SymPy is imported on first use."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from descend.errors import DescendError
from descend.objectives.grammar import Node

if TYPE_CHECKING:
    from descend.objectives.expression import Expression

__all__ = ["derivative", "from_sympy", "to_sympy"]

#: SymPy's own names where they differ from ours; the functions SymPy has not are made in `_own_functions`.
_SAME = ("sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp log sqrt floor erf atan2").split()  # noqa: SIM905
#: The longest sum or product for which SymPy is asked: it takes seconds beyond.
_MOST_NODES = 2000


@cache
def _own_functions() -> SimpleNamespace:
    """Functions with the derivatives a trainer expects: those of steps are 0, those of kinks are steps."""
    import sympy

    def make(name: str, slope: Any) -> Any:
        def fdiff(self: Any, argindex: int = 1) -> Any:
            return slope(self.args[0])

        return type(name, (sympy.Function,), {"fdiff": fdiff, "is_real": True, "nargs": 1})

    nothing = lambda x: sympy.Integer(0)  # noqa: E731
    own = SimpleNamespace()
    own.step = make("step", nothing)
    own.sign = make("sign", nothing)
    own.floor = make("floor", nothing)
    own.ceil = make("ceil", nothing)
    own.abs = make("abs", lambda x: own.sign(x))
    own.relu = make("relu", lambda x: own.step(x))
    own.sigmoid = make("sigmoid", lambda x: own.sigmoid(x) * (1 - own.sigmoid(x)))
    own.softplus = make("softplus", lambda x: own.sigmoid(x))
    own.cbrt = make("cbrt", lambda x: 1 / (3 * own.cbrt(x) ** 2))
    return own


def _functions() -> dict[str, Any]:
    import sympy

    own = vars(_own_functions())
    return {
        **{name: getattr(sympy, name) for name in _SAME},
        **own,
        "log2": lambda x: sympy.log(x) / sympy.log(2),
        "log10": lambda x: sympy.log(x) / sympy.log(10),
        "hypot": lambda x, y: sympy.sqrt(x**2 + y**2),
        "max": sympy.Max,
        "min": sympy.Min,
    }


def to_sympy(nodes: tuple[Node, ...]) -> Any:
    """The formula as a SymPy expression with real symbols; decimals become floats, whole numbers stay exact."""
    import sympy

    if len(nodes) > _MOST_NODES:
        raise DescendError(f"the expression has {len(nodes)} parts; up to {_MOST_NODES} are differentiated symbolically")
    functions = _functions()
    parts: list[Any] = []
    try:
        for node in nodes:
            parts.append(_node(sympy, functions, node, [parts[i] for i in node.args]))
    except RecursionError:
        raise DescendError("the expression is nested too deeply to be differentiated symbolically") from None
    return parts[-1]


def _node(sympy: Any, functions: dict[str, Any], node: Node, args: list[Any]) -> Any:
    if node.op == "number":
        return sympy.Integer(int(node.value)) if node.value.is_integer() else sympy.Float(node.value)
    if node.op == "constant":
        return {"e": sympy.E, "pi": sympy.pi, "π": sympy.pi}.get(node.text, 2 * sympy.pi)
    if node.op == "variable":
        return sympy.Symbol(node.text, real=True)
    match node.op:
        case "+":
            return args[0] + args[1]
        case "-":
            return args[0] - args[1]
        case "*":
            return args[0] * args[1]
        case "/":
            return args[0] / args[1]
        case "^":
            return args[0] ** args[1]
        case "neg":
            return -args[0]
    return functions[node.op](*args)


@cache
def _printer() -> Any:
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):  # type: ignore[misc]
        """SymPy's own notation, with our names."""

        def _print_Exp1(self, expr: Any) -> str:  # noqa: N802
            return "e"

        def _print_Heaviside(self, expr: Any) -> str:  # noqa: N802
            return f"step({self._print(expr.args[0])})"

        def _print_Abs(self, expr: Any) -> str:  # noqa: N802
            return f"abs({self._print(expr.args[0])})"

        def _print_Max(self, expr: Any) -> str:  # noqa: N802
            return f"max({', '.join(self._print(a) for a in expr.args)})"

        def _print_Min(self, expr: Any) -> str:  # noqa: N802
            return f"min({', '.join(self._print(a) for a in expr.args)})"

        def _as_ordered_terms(self, expr: Any, order: Any = None) -> list[Any]:
            terms = list(super()._as_ordered_terms(expr, order=order))
            first = next((i for i, term in enumerate(terms) if not term.could_extract_minus_sign()), 0)
            return [terms[first], *terms[:first], *terms[first + 1 :]]

        def _print_Float(self, expr: Any) -> str:  # noqa: N802
            return f"{float(expr):.15g}"

    return Printer({"order": None})


def from_sympy(expression: Any, variables: tuple[str, ...], meaning: str) -> Expression:
    """A SymPy expression as one of ours; `meaning` names it where it cannot be one (complex, infinite)."""
    from descend.objectives.expression import parse

    text = _printer().doprint(expression)
    try:
        return parse(text, variables, constant=True)
    except DescendError:
        raise DescendError(f"{meaning} has no formula in real functions (SymPy gives {text[:200]})") from None


def derivative(expression: Expression, variable: str) -> Expression:
    """The partial derivative after one variable, as an expression of the same variables."""
    import sympy

    whole = expression.sympy()
    meaning = f"the derivative of {expression.text} after {variable}"
    try:
        slope = whole.diff(sympy.Symbol(variable, real=True))
        return from_sympy(slope, expression.variables, meaning)
    except RecursionError:
        raise DescendError(f"{meaning} is nested too deeply to be derived symbolically") from None
