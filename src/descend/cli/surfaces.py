"""`descend surfaces`: the named surfaces as a table, or one described."""

from __future__ import annotations

from typing import Any

import click

from descend.cli.options import nearest
from descend.cli.text import labelled, number, table
from descend.errors import DescendError

__all__ = ["command"]


@click.command(name="surfaces")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(name: str | None, as_json: bool) -> None:
    """List the named surfaces, or describe one: formula, domain, minima and what it teaches.

    \b
    descend surfaces
    descend surfaces rosenbrock
    """
    from descend.objectives import SURFACES, resolve
    from descend.trace import strict_json

    if name is not None and name not in SURFACES:
        raise DescendError(f"there is no surface {name!r}{nearest(name, SURFACES)}; there are {', '.join(SURFACES)}")
    goals = [resolve(n) for n in ([name] if name else SURFACES)]
    if as_json:
        click.echo(strict_json([_as_dict(goal) for goal in goals], indent=2))
    elif name:
        click.echo("\n".join(_one(goals[0])))
    else:
        rows = [[g.name, "none" if g.minimum is None else number(g.minimum), g.note] for g in goals]
        click.echo(table(["surface", "minimum", "what it teaches"], rows, left=3))
        click.echo("\n`descend run rosenbrock` runs on one; `descend surfaces rosenbrock` tells its formula.")


def _one(goal: Any) -> list[str]:
    names = ", ".join(goal.variables)
    told = {"formula": f"f({names}) = {goal.text}", "teaches": goal.note}
    if goal.domain:
        told["domain"] = ", ".join(
            f"{v} in [{low:g}, {high:g}]" for v, (low, high) in zip(goal.variables, goal.domain, strict=True)
        )
    points = [f"({', '.join(number(v) for v in point)})" for point in goal.minima]
    told["minimum"] = f"{number(goal.minimum)} at {' and '.join(points)}" if goal.minimum is not None and points else "none"
    if goal.start:
        told["start"] = f"({', '.join(number(v) for v in goal.start)})"
    return [goal.name, "", *(labelled(label, text) for label, text in told.items() if text)]


def _as_dict(goal: Any) -> dict[str, Any]:
    return {name: getattr(goal, name) for name in ("name", "text", "variables", "domain", "minima", "minimum", "start", "note")}
