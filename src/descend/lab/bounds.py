"""How big an expression a page may send: what takes the compiler seconds is refused in a sentence.

The length of the text says little. A sum of a hundred terms compiles in a moment; the time for products, quotients, powers
and functions grows with about the square of how many of them lie inside each other, since each derivative holds all the
others: a second or two for x·x·… of a hundred factors, a minute for four hundred.
"""

from __future__ import annotations

from descend.errors import DescendError
from descend.objectives.expression import Expression, fold_constants
from descend.objectives.objective import Objective

__all__ = ["DEEPEST", "MOST_OPERATIONS", "bounded"]

#: Operations of an expression, and how many products, quotients, powers and functions may lie inside each other.
MOST_OPERATIONS = 200
DEEPEST = 24


def bounded(goal: Objective) -> Objective:
    """The objective, if its expression is small enough to be compiled while somebody waits.

    Raises
    ------
    DescendError
        A sentence about what is too much.
    """
    if goal.expression is None:
        return goal
    operations, depth = _size(goal.expression)
    if operations > MOST_OPERATIONS:
        raise DescendError(f"an expression has at most {MOST_OPERATIONS} operations here; this one has {operations}")
    if depth > DEEPEST:
        raise DescendError(
            f"at most {DEEPEST} products, quotients, powers and functions may lie inside each other here; "
            f"this expression has {depth}"
        )
    return goal


def _size(expression: Expression) -> tuple[int, int]:
    """How many operations, and how deep. A whole power counts as the multiplications it takes: x¹⁰⁰⁰ as ten."""
    values = fold_constants(expression.nodes)
    operations = 0
    depths: list[int] = []
    for node in expression.nodes:
        below = max((depths[i] for i in node.args), default=0)
        cost = 0
        if node.args and any(values[i] is None for i in node.args):
            exponent = values[node.args[1]] if node.op == "^" else None
            whole = exponent is not None and exponent.is_integer()
            cost = min(abs(int(exponent)), 2**64).bit_length() if whole and exponent is not None else 1
            operations += max(cost, 1)
        depths.append(below + (0 if node.op in ("+", "-", "neg") else cost))
    return operations, depths[-1]
