"""Random formulas as Python syntax trees: Python's own grammar and arithmetic are the independent reference."""

from __future__ import annotations

import ast
import math
from typing import Any

from hypothesis import strategies as st

NAMES = ("x", "y", "z", "w2", "alpha")
SMOOTH = ("sin", "cos", "tanh", "exp", "atan", "sinh", "erf")
ROUGH = ("sqrt", "log", "abs", "tan", "asin")
PYTHON: dict[str, Any] = {name: getattr(math, name) for name in (*SMOOTH, *ROUGH) if hasattr(math, name)} | {"abs": abs}

_numbers = st.one_of(
    st.integers(0, 9).map(lambda n: ast.Constant(n)),
    st.floats(0.01, 20).map(lambda v: ast.Constant(float(f"{v:.3g}"))),
)
_variables = st.sampled_from(NAMES).map(lambda name: ast.Name(name))


def _grow(functions: tuple[str, ...], powers: st.SearchStrategy[int]) -> Any:
    def extend(inner: st.SearchStrategy[ast.expr]) -> st.SearchStrategy[ast.expr]:
        operators = st.sampled_from([ast.Add(), ast.Sub(), ast.Mult(), ast.Div()])
        return st.one_of(
            st.builds(lambda a, op, b: ast.BinOp(a, op, b), inner, operators, inner),
            st.builds(lambda a, n: ast.BinOp(a, ast.Pow(), ast.Constant(n)), inner, powers),
            st.builds(lambda a, n: ast.BinOp(ast.Constant(n), ast.Pow(), a), inner, st.integers(1, 3)),
            st.builds(lambda a: ast.UnaryOp(ast.USub(), a), inner),
            st.builds(lambda f, a: ast.Call(ast.Name(f), [a], []), st.sampled_from(functions), inner),
        )

    return extend


def formulas(functions: tuple[str, ...] = SMOOTH + ROUGH, leaves: int = 12) -> st.SearchStrategy[str]:
    """Formulas in Python's notation with as few brackets as Python needs; each has at least one variable."""
    trees = st.recursive(st.one_of(_variables, _numbers), _grow(functions, st.integers(0, 4)), max_leaves=leaves)
    return trees.map(lambda tree: ast.unparse(ast.fix_missing_locations(ast.Expression(tree)))).filter(
        lambda text: any(name in text.replace("exp", "") for name in NAMES)
    )


def python_value(text: str, point: dict[str, float]) -> float | None:
    """What Python makes of it; None where it has no real finite value."""
    try:
        value = eval(compile(text, "formula", "eval"), {"__builtins__": {}}, {**PYTHON, **point})
    except (ArithmeticError, ValueError):
        return None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
