"""`descend optimizers`: the registry as a table, or one rule with its equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from descend.cli.text import labelled, table

__all__ = ["command"]


@click.command(name="optimizers")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--latex", is_flag=True, help="Equations as LaTeX.")
@click.option("--choose", is_flag=True, help="Answer a few questions and be led from the bottleneck to an optimizer.")
def command(name: str | None, as_json: bool, latex: bool, choose: bool) -> None:
    """List the optimizers, or show one: its equations, hyperparameters, state, what it fixes and when not to use it.

    \b
    descend optimizers
    descend optimizers adam
    descend optimizers --choose
    """
    if choose:
        _choose()
        return
    import descend.optimizers  # noqa: F401  (fills the registry)
    from descend.rules import OPTIMIZERS, optimizer_named
    from descend.trace import strict_json

    rules = [optimizer_named(name)] if name else list(OPTIMIZERS.values())
    if as_json:
        click.echo(strict_json([_as_dict(rule) for rule in rules], indent=2))
    elif name:
        click.echo("\n".join(_one(rules[0], latex)))
    else:
        rows = [[r.name, r.usual_lr, f"{_bytes(r)} B", r.fixes.split(":")[0]] for r in rules]
        click.echo(table(["optimizer", "usual lr", "state", "what it fixes"], rows, left=4))
        click.echo("\nState is bytes per parameter in float32. `descend optimizers adam` shows the equations of one.")


def _choose() -> None:
    """The questions on the terminal, answered by number."""
    from descend.choose import walk

    def ask(question: str, answers: Sequence[str]) -> int:
        click.echo(question)
        for k, answer in enumerate(answers, 1):
            click.echo(f"  {k}  {answer}")
        chosen: int = click.prompt("number", type=click.IntRange(1, len(answers)))
        click.echo()
        return chosen - 1

    click.echo("\n".join(walk(ask).lines()))


def _bytes(rule: Any) -> int:
    return int(rule.state_bytes(rule().hyperparameters, 4, (64, 64)) / 64 / 64 + 0.5)


def _one(rule: Any, latex: bool) -> list[str]:
    from descend import equations

    written = equations.latex(rule) if latex else equations.lines(rule)
    lines = [f"{rule.title}   {rule.summary}", ""]
    lines += [f"  {line}" for line in written]
    lines += ["", _hyperparameters(rule), ""]
    told = {
        "fixes": rule.fixes,
        "avoid": rule.avoid,
        "usual lr": rule.usual_lr,
        "state": f"{_bytes(rule)} bytes per parameter in float32",
        "convention": rule.convention,
        "source": rule.paper,
    }
    return lines + [labelled(label, text, 12) for label, text in told.items() if text]


def _hyperparameters(rule: Any) -> str:
    rows = []
    for h in rule.hyperparameters.values():
        default = f"{h.default:g}" if isinstance(h.default, float) else str(h.default)
        rows.append([h.name, default, _range(h)])
    return table(["hyperparameter", "default", "range"], rows, left=3)


def _range(h: Any) -> str:
    if isinstance(h.default, bool):
        return "true or false"
    if h.bounds is None:
        return "any" if not isinstance(h.default, str) else "a name"
    low, high, low_in, high_in = h.bounds
    top = "∞" if high == float("inf") else f"{high:g}"
    return f"{'[' if low_in else '('}{low:g}, {top}{']' if high_in and top != '∞' else ')'}"


def _as_dict(rule: Any) -> dict[str, Any]:
    from descend.equations import latex, lines

    return {
        "name": rule.name,
        "title": rule.title,
        "summary": rule.summary,
        "equations": lines(rule),
        "latex": latex(rule),
        "hyperparameters": {h.name: {"default": h.default, "bounds": h.bounds} for h in rule.hyperparameters.values()},
        "state_bytes": _bytes(rule),
        "kind": rule.kind,
        "fixes": rule.fixes,
        "avoid": rule.avoid,
        "usual_lr": rule.usual_lr,
        "convention": rule.convention,
        "paper": rule.paper,
    }
