"""`descend gradient EXPR --at P`: the gradient derived, evaluated, checked and explained."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from descend.cli.points import parse_point
from descend.errors import DescendError

if TYPE_CHECKING:
    import numpy as np

    from descend.objectives import Objective

__all__ = ["command"]


@click.command("gradient")
@click.argument("objective", metavar="OBJECTIVE")
@click.option("--at", "at", metavar="POINT", help="Where: 4,3 or x=4,y=3. A surface's usual start if left out.")
@click.option("--grad", metavar="FILE.py:FUNCTION", help="A gradient of your own to check against finite differences.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(objective: str, at: str | None, grad: str | None, as_json: bool) -> None:
    """Derive a gradient, evaluate it at a point, and check it by finite differences.

    OBJECTIVE is an expression, a surface's name, or file.py:function (its gradient by JAX, or yours with --grad).

    \b
      descend gradient "x^2 + 3y^2" --at 4,3
      descend gradient "(3x+1)^2" --at 0
      descend gradient rosenbrock --at -1,2
      descend gradient loss.py:f --grad loss.py:f_gradient --at 1,2

    The exit code is 1 where a coordinate of the gradient is found wrong, 2 for bad input, and 0 otherwise.
    """
    from descend.objectives import resolve

    what = resolve(objective, grad)
    if at is None and what.start is None:
        names = f" ({', '.join(what.variables)})" if what.variables else ""
        raise DescendError(f"a gradient belongs to a point: give one number per variable{names} with --at")
    point = parse_point(at, what.variables) if at is not None else parse_point(",".join(map(str, what.start or ())))
    if grad is None and what.expression is not None:
        from descend.gradients import describe

        derivation = describe(what.expression, point)
        click.echo(json.dumps(derivation.to_dict(), ensure_ascii=False, allow_nan=False) if as_json else str(derivation))
        return
    from descend.gradients import check_gradient

    check = check_gradient(what.fun, what.grad or _automatic(what, point), point)
    origin = "yours" if what.grad else "derived automatically by JAX"
    if as_json:
        click.echo(json.dumps({"gradient": origin, **check.to_dict()}, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(f"gradient of {what.text}: {origin}\n{check}")
    if check.ok is False:
        click.get_current_context().exit(1)


def _automatic(objective: Objective, point: np.ndarray) -> Callable[[Any], Any]:
    """JAX's gradient of a Python function, or a sentence that says why there is none."""
    from descend.objectives.pythonfile import why_not_traceable

    reason = why_not_traceable(objective, point)
    if reason is not None:
        raise DescendError(reason)
    import jax

    return jax.grad(objective.fun)
