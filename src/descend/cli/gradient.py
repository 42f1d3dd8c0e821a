"""`descend gradient EXPR --at P`: the gradient derived, evaluated, checked and explained."""

from __future__ import annotations

import json

import click

from descend.cli.points import parse_point, protect_minus

__all__ = ["command"]


class _Signed(click.Command):
    """A command whose arguments may start with a minus."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, protect_minus(args, {name for param in self.params for name in param.opts}))


@click.command("gradient", cls=_Signed)
@click.argument("objective", metavar="OBJECTIVE")
@click.option("--at", "at", metavar="POINT", help="Where: 4,3 or x=4,y=3. A surface's usual start if left out.")
@click.option("--grad", metavar="FILE.py:FUNCTION", help="A gradient of your own to check against finite differences.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(objective: str, at: str | None, grad: str | None, as_json: bool) -> None:
    """Derive a gradient, evaluate it at a point, and check it by finite differences.

    OBJECTIVE is an expression, a surface's name, or file.py:function with --grad.

    \b
      descend gradient "x^2 + 3y^2" --at 4,3
      descend gradient "(3x+1)^2" --at 0
      descend gradient rosenbrock --at -1,2
      descend gradient loss.py:f --grad loss.py:f_gradient --at 1,2
    """
    from descend.errors import DescendError
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
    if what.grad is None:
        raise DescendError(f"{what.name} is a Python function, which has no formula: give its gradient with --grad to check it")
    from descend.gradients import check_gradient

    check = check_gradient(what.fun, what.grad, point)
    if as_json:
        click.echo(json.dumps(check.to_dict(), ensure_ascii=False, allow_nan=False))
    else:
        click.echo(str(check))
