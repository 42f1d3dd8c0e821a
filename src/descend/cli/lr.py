"""`descend lr`: what learning rate to use, and how far it can go."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import click
import numpy as np

from descend.cli.options import parse_optimizer
from descend.cli.text import labelled, number, table

__all__ = ["command"]

#: Of a stability statement, what a limit says.
NO_LIMIT: dict[str, Any] = {"lr_limit": None, "ratio": None, "growth": None}
#: What is compared when no optimizer is named.
DEFAULT = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")


@click.command(name="lr")
@click.argument("objective")
@click.option("--start", metavar="P", help="Where to predict: 4,3 or x=4,y=3. A named surface has a usual start.")
@click.option("--optimizer", "optimizers", multiple=True, metavar="NAME[:KEY=VALUE,…]", help="Several may be given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(objective: str, start: str | None, optimizers: tuple[str, ...], as_json: bool) -> None:
    """Predict the largest stable learning rate for OBJECTIVE, per optimizer, and recommend one with reasons.

    \b
    descend lr "x² + 3y²" --start 4,3
    descend lr rosenbrock --optimizer momentum:momentum=0.95
    """
    from descend.cli.points import start_point
    from descend.loop import DEFAULT_STEPS, trial_of
    from descend.objectives import resolve
    from descend.stability import stability

    goal = resolve(objective)
    point = start_point(goal, start)
    chosen = [parse_optimizer(text) for text in (optimizers or DEFAULT)]
    names = goal.coordinate_names(len(point))
    trial = trial_of(goal, point, DEFAULT_STEPS)
    told = [stability(goal, o, point, variables=names, state=_first_state(goal, o, point), trial=trial) for o in chosen]
    still = _is_stationary(goal, point)
    if still:  # the second moments are 0 there, and a limit from them is one of eps alone
        told = [t if o.rule.kind == "linear" else replace(t, **NO_LIMIT) for o, t in zip(chosen, told, strict=True)]
    if as_json:
        _print_json(goal, point, chosen, told)
    else:
        click.echo("\n".join(_text(goal, point, names, chosen, told, still=still)))


def _is_stationary(goal: Any, point: Any) -> bool:
    from descend.loop import descend
    from descend.optimizers import sgd

    return goal.backend == "jax" and bool(descend(goal, point, sgd(lr=1e-300), steps=1).grad_norm[0] == 0)


def _first_state(goal: Any, optimizer: Any, point: Any) -> Any:
    """The state after the first step, whose second moments an adaptive rule is judged with."""
    from descend.loop import descend

    if optimizer.rule.kind != "adaptive" or goal.backend != "jax":
        return None
    return descend(goal, point, optimizer.with_values(lr=1e-300), steps=1).state


def _text(goal: Any, point: Any, names: Any, chosen: list[Any], told: list[Any], *, still: bool) -> list[str]:
    place = ", ".join(number(float(v)) for v in point)
    lines = [f"objective  f({', '.join(names)}) = {goal.text}   at ({place})"]
    found = next((t.curvature for t in told if t.curvature is not None), None)
    if found is None:
        return [*lines, labelled("curvature", "not known here: it needs a twice differentiable function that JAX can trace.")]
    direction = found.direction(names)
    spread = f", smallest {number(found.smallest, 4)} along {found.direction(names, smallest=True)}" if found.exact else ""
    lines += [labelled("curvature", f"largest {number(found.largest, 4)} along {direction}{spread}")]
    if still:
        lines.append(
            labelled("here", "the gradient is 0: this is a stationary point, no rate moves a descent that starts at it.")
        )
    lines.append("")
    rows = []
    for optimizer, one in zip(chosen, told, strict=True):
        suggested = one.suggestion
        limit = "none" if one.lr_limit is None or not math.isfinite(one.lr_limit) else number(one.lr_limit, 4)
        factor = f"{suggested.factor:.4g}" if suggested and suggested.factor is not None else ""
        rows.append([optimizer.name, limit, number(one.lr_suggested, 4), factor, optimizer.rule.usual_lr])
    lines += [table(["optimizer", "limit", "recommended", "a step", "usual"], rows, left=1), ""]
    reasons: dict[str, list[str]] = {}
    for optimizer, one in zip(chosen, told, strict=True):
        if one.suggestion is not None:
            reasons.setdefault(one.suggestion.reason, []).append(optimizer.name)
    lines += [labelled("why", f"{', '.join(who)}: {reason}.") for reason, who in reasons.items()]
    lines += [labelled("limit", sentence) for sentence in _limits(chosen, told, still=still)]
    return lines


def _limits(chosen: list[Any], told: list[Any], *, still: bool) -> list[str]:
    linear = [o.name for o, t in zip(chosen, told, strict=True) if o.rule.kind == "linear" and t.lr_limit is not None]
    adaptive = [o.name for o, t in zip(chosen, told, strict=True) if o.rule.kind == "adaptive" and t.lr_limit is not None]
    sentences = []
    if linear:
        sentences.append(f"{', '.join(linear)}: where the rule's own map of the steepest direction stops shrinking it.")
    if adaptive:
        sentences.append(
            f"{', '.join(adaptive)}: the same, with the second moments held as the first step leaves them; "
            "they change, and the limit with them."
        )
    if still and any(o.rule.kind == "adaptive" for o in chosen):
        sentences.append("none: where the gradient is 0 second moments are too, and say nothing about the rate.")
    elif any(t.lr_limit is None for t in told):
        sentences.append("none: the rule's step does not depend on the gradient's size, or the direction curves downwards.")
    return sentences


def _print_json(goal: Any, point: Any, chosen: list[Any], told: list[Any]) -> None:
    from descend.trace import strict_json

    rows = [
        {"optimizer": o.name, "hyperparameters": o.hyperparameters, "reason": t.suggestion.reason if t.suggestion else None}
        | t.to_dict()
        for o, t in zip(chosen, told, strict=True)
    ]
    click.echo(strict_json({"objective": goal.text, "point": np.asarray(point).tolist(), "optimizers": rows}, indent=2))
