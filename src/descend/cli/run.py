"""`descend run`: the main job."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from descend.cli.options import parse_optimizer, short_name
from descend.cli.output import Progress, check_files
from descend.cli.slopes import checked_gradient
from descend.cli.text import labelled, log_spaced, number, table
from descend.errors import DescendError

if TYPE_CHECKING:
    from descend.gradients import GradientCheck

__all__ = ["command"]

#: Learning rates tried per optimizer by `--tune lr`: a coarse grid, then in each of its lowest valleys two finer ones. The loss
#: after a fixed number of steps swings with the rate where a rule swings, so one valley is not enough.
TUNE_COARSE, TUNE_VALLEYS, TUNE_FINE = 121, 3, 20


@click.command(name="run")
@click.argument("objective")
@click.option("--start", metavar="P", help="Where to start: 4,3 or x=4,y=3. A named surface has a usual start.")
@click.option(
    "--optimizer",
    "optimizers",
    multiple=True,
    metavar="NAME[:KEY=VALUE,…]",
    help="adam:lr=0.1,beta1=0.8 and so on; may be given several times. See `descend optimizers`. Default: sgd.",
)
@click.option("--lr", metavar="RATE", help="Learning rate of every optimizer that states none; without one it is predicted.")
@click.option("--steps", type=int, help="Steps to make. Default: up to 1000, until the gradient has vanished.")
@click.option("--tol-grad", type=float, help="Stop when the gradient norm is at most this.")
@click.option("--tol-loss", type=float, help="Stop when the loss changed by at most this three times in a row.")
@click.option("--tune", type=click.Choice(["lr"]), help="Search the best lr for each optimizer, each with the same budget.")
@click.option("--grad", metavar="FILE.py:NAME", help="The gradient of a function that cannot be differentiated automatically.")
@click.option(
    "--noise", type=float, default=0.0, metavar="SIGMA", help="Normal noise on each entry of the gradient, as of a minibatch."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of whatever is random.")
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE", help="Draw path and loss into a .png or .svg file.")
@click.option("--trace", type=click.Path(path_type=Path), metavar="FILE", help="Save every step as .npz, .json or .csv.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(
    objective: str,
    start: str | None,
    optimizers: tuple[str, ...],
    lr: str | None,
    steps: int | None,
    tol_grad: float | None,
    tol_loss: float | None,
    tune: str | None,
    grad: str | None,
    noise: float,
    seed: int,
    figure: Path | None,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Run gradient descent on OBJECTIVE and say what it did, why, and what to try instead.

    OBJECTIVE is an expression in any variables ("x² + 3y²"), a named surface (rosenbrock; see `descend surfaces`), or
    file.py:function, where the function takes one array or one argument per variable.

    \b
    descend run "x**2 + 3*y**2" --start 4,3 --lr 0.4 --figure bowl.png
    descend run rosenbrock --optimizer sgd --optimizer momentum --optimizer adam:lr=0.05 --steps 500
    descend run ".1x² + 2y²" --start -5,-2 --steps 20 --tune lr --optimizer sgd --optimizer adam
    """
    from descend.cli.points import start_point
    from descend.objectives import noisy, resolve

    check_files((figure, (".png", ".svg")), (trace, (".npz", ".json", ".csv")))
    chosen = [parse_optimizer(text, lr) for text in (optimizers or ("sgd",))]
    goal = resolve(objective, grad=grad)
    first = start_point(goal, start)
    seen = noisy(goal, noise)  # what is descended; what is explained and drawn is the objective itself
    checked = checked_gradient(goal, first)
    stop = {"steps": steps, "tol_grad": tol_grad, "tol_loss": tol_loss, "seed": seed}
    searches: tuple[str, ...] = ()
    if tune:
        if steps is not None and steps < 1:
            raise DescendError(f"steps must be a whole number of at least 1; got {steps}")
        found = [_tuned(seen, first, o, stop) for o in chosen]
        chosen, searches = [o for o, _ in found], tuple(said for _, said in found)
    runs = []
    for optimizer in chosen:
        runs.append(_run(goal, seen, first, optimizer, stop, show=not as_json))
        if runs[-1].trace.config["interrupted"]:  # one Ctrl-C ends the comparison, and what there is is told
            break
    if as_json:
        _print_json(goal, runs, checked)
    else:
        _print_text(goal, runs, searches, checked)
    _save(goal, runs, figure, trace, quiet=as_json)


class _Run:
    """One descent with its explanation."""

    def __init__(self, optimizer: Any, trace: Any, told: Any) -> None:
        self.optimizer, self.trace, self.told = optimizer, trace, told


def _run(goal: Any, seen: Any, start: Any, optimizer: Any, stop: dict[str, Any], *, show: bool) -> _Run:
    from descend.explain import explain
    from descend.loop import descend

    bar = Progress(show)
    trace = descend(seen, start, optimizer, callback=bar, **stop)
    bar.clear()
    used = optimizer
    if trace.config["lr_predicted"]:
        used = optimizer.with_values(lr=trace.config["hyperparameters"]["lr"])
    return _Run(used, trace, explain(goal, used, trace, start))


def _tuned(goal: Any, start: Any, optimizer: Any, stop: dict[str, Any]) -> tuple[Any, str]:
    """The best lr by final loss over a grid and finer ones: the same number of runs for every optimizer."""
    from descend.loop import descend

    if "lr" not in optimizer.hyperparameters:
        return optimizer, f"{optimizer.name} has no lr to tune"

    def final(rate: float) -> float:
        trace = descend(goal, start, optimizer.with_values(lr=float(rate)), **stop)
        bad = trace.outcome is None or trace.outcome.kind in ("diverged", "failed") or not math.isfinite(trace.loss[-1])
        return math.inf if bad else float(trace.loss[-1])

    rates = [float(r) for r in np.geomspace(1e-4, 1e2, TUNE_COARSE)]
    tried = {r: final(r) for r in rates}
    for valley in _lowest(rates, tried, TUNE_VALLEYS):
        center, width = valley, 6 / (TUNE_COARSE - 1)
        for _ in range(2):
            near = [float(r) for r in np.geomspace(center * 10**-width, center * 10**width, TUNE_FINE + 2)[1:-1]]
            tried |= {r: final(r) for r in near}
            center = min([center, *near], key=lambda r: (tried[r], r))
            width *= 2 / (TUNE_FINE + 1)
    best = float(f"{min(tried, key=lambda r: (tried[r], r)):.4g}")
    return optimizer.with_values(lr=best), f"{len(tried)} rates from 0.0001 to 100"


def _lowest(rates: list[float], tried: dict[float, float], count: int) -> list[float]:
    """The rates to search around: where the loss over the rate has its lowest valleys, then the lowest others."""
    around = [math.inf, *(tried[r] for r in rates), math.inf]
    valleys = {r for r, before, after in zip(rates, around, around[2:], strict=False) if tried[r] <= min(before, after)}
    return sorted(rates, key=lambda r: (r not in valleys, tried[r], r))[:count]


# -- printing -------------------------------------------------------------------------------------------------------------


def _print_text(goal: Any, runs: list[_Run], searches: Any, checked: GradientCheck | None) -> None:
    lines = [_headline(goal, runs[0].trace)]
    if (seen := runs[0].trace.config["objective"]) != goal.text:
        lines.append(labelled("seen as", seen))
    if checked is not None and checked.ok is False:
        lines.append(
            labelled("warning", f"the gradient given is not the slope of the function at the start: {checked.message}.")
        )
    lines += [labelled("read as", note) for note in (goal.expression.notes if goal.expression is not None else ())]
    lines += [_rule_line(run) for run in runs]
    if searches:
        lines.append(labelled("tuned", f"lr by the final loss, each optimizer with the same budget: {searches[0]}."))
    lines.append("")
    lines.append(_single_table(runs[0].trace) if len(runs) == 1 else _joint_table(runs))
    lines.append("")
    if len(runs) > 1:
        lines += [_summary(goal, runs), ""]
    for run in runs:
        lines += _verdict(run, named=len(runs) > 1)
    click.echo("\n".join(lines))


def _headline(goal: Any, trace: Any) -> str:
    names = ", ".join(trace.variables)
    start = ", ".join(number(v) for v in trace.config["start"] or ())
    if not trace.variables:
        return f"minimise   {goal.text}"
    text = goal.text if goal.name == goal.text or goal.expression is None else f"{goal.text}   ({goal.name})"
    return f"minimise   f({names}) = {text}   from ({names}) = ({start})"


def _rule_line(run: _Run) -> str:
    from descend.equations import lines

    optimizer, trace = run.optimizer, run.trace
    values = [
        f"{_symbol(k)} = {v:g}" if isinstance(v, float) else f"{k} = {v}"
        for k, v in optimizer.hyperparameters.items()
        if _tell(optimizer, k, v)
    ]
    text = "; ".join(lines(optimizer)) + "   with " + ", ".join(values)
    if trace.config["lr_predicted"]:
        suggestion = run.told.statement.suggestion
        text += f"   (lr predicted: {suggestion.reason})" if suggestion else "   (lr predicted)"
    return labelled(optimizer.name, text)


def _tell(optimizer: Any, name: str, value: Any) -> bool:
    """Hyperparameters worth a place in the rule's line: those in its equations, or changed from their default."""
    known = optimizer.rule.hyperparameters
    return name not in known or value not in (0, False) or known[name].default != value


def _symbol(name: str) -> str:
    from descend.equations import UNICODE

    return UNICODE.get(name, name)


def _single_table(trace: Any) -> str:
    point = trace.points if "point" in trace and len(trace.variables) <= 6 else None
    headers = ["step", "loss", *(trace.variables if point is not None else ()), "‖gradient‖"]
    first = int(trace.step[0])
    rows = []
    for k in log_spaced(len(trace.loss) - 1):
        cells = [] if point is None else [number(v) for v in point[k]]
        rows.append([f"{first + k:,}", number(trace.loss[k]), *cells, number(trace.grad_norm[k], 4)])
    return table(headers, rows)


def _joint_table(runs: list[_Run]) -> str:
    """Loss by step, a column per optimizer."""
    longest = max(len(run.trace.loss) for run in runs)
    rows = []
    for k in log_spaced(longest - 1):
        cells = [number(run.trace.loss[k]) if k < len(run.trace.loss) else "·" for run in runs]
        rows.append([f"{k:,}", *cells])
    return table(["step", *_labels(runs)], rows)


def _labels(runs: list[_Run]) -> list[str]:
    names = [run.optimizer.name for run in runs]
    return [short_name(run.optimizer) if names.count(n) > 1 else n for run, n in zip(runs, names, strict=True)]


def _summary(goal: Any, runs: list[_Run]) -> str:
    """One row per optimizer: its lr, what came out, and how far from the minimum; the winner can depend on which is asked."""
    near = bool(goal.minima)
    headers = ["optimizer", "lr", "outcome", "steps", "loss", "best loss", *(["distance"] if near else []), "sign changes"]
    rows = []
    for run in runs:
        trace = run.trace
        lr = run.optimizer.hyperparameters.get("lr")
        changes = " ".join(f"{k}:{n}" for k, n in trace.sign_changes().items()) if len(trace.variables) <= 4 else ""
        distance = [number(_distance(goal, trace.points[-1]), 4)] if near else []
        rate = f"{number(lr) if isinstance(lr, float) else lr}{' (predicted)' if trace.config['lr_predicted'] else ''}"
        rows.append(
            [
                short_name(run.optimizer).split(":")[0],
                rate,
                trace.outcome.kind,
                f"{trace.steps:,}",
                number(trace.loss[-1]),
                number(trace.best),
                *distance,
                changes,
            ]
        )
    reference = _reference(goal, runs)
    if reference is not None:
        far = [number(_distance(goal, reference.point), 4)] if near else []
        rows.append(["L-BFGS (SciPy)", "", "reference", f"{reference.evaluations:,}", *[number(reference.loss)] * 2, *far, ""])
    return table(headers, rows, left=3)


def _distance(goal: Any, point: Any) -> float:
    return min(float(np.linalg.norm(point - np.array(m))) for m in goal.minima)


def _reference(goal: Any, runs: list[_Run]) -> Any:
    """L-BFGS from the same start with at most as many evaluations as the longest run made steps."""
    from descend.reference import lbfgs

    start = runs[0].trace.config["start"]
    return lbfgs(goal, np.array(start), evaluations=max(run.trace.steps for run in runs)) if start else None


def _verdict(run: _Run, *, named: bool) -> list[str]:
    trace, told = run.trace, run.told
    lines = []
    if named:
        lines.append(short_name(run.optimizer))
    lines.append(labelled("outcome", trace.outcome.message))
    if told.why:
        lines.append(labelled("why", " ".join(told.why)))
    lines += [labelled("try" if i == 0 else "or", text) for i, text in enumerate(told.advice)]
    lines += [labelled("note", f"{note[0].upper()}{note[1:]}.") for note in trace.notes]
    return [*lines, ""] if named else lines


# -- files ----------------------------------------------------------------------------------------------------------------


def _print_json(goal: Any, runs: list[_Run], checked: GradientCheck | None) -> None:
    from descend.trace import strict_json

    click.echo(
        strict_json(
            {
                "objective": runs[0].trace.config["objective"],
                "name": goal.name,
                "variables": list(runs[0].trace.variables),
                "start": runs[0].trace.config["start"],
                "gradient_check": None if checked is None else checked.to_dict(),
                "runs": [_as_dict(run) for run in runs],
                "reference": _reference_dict(goal, runs) if len(runs) > 1 else None,
            },
            indent=2,
        )
    )


def _reference_dict(goal: Any, runs: list[_Run]) -> dict[str, Any] | None:
    found = _reference(goal, runs)
    if found is None:
        return None
    return {"optimizer": "L-BFGS (SciPy)", "loss": found.loss, "point": found.point, "evaluations": found.evaluations}


def _as_dict(run: _Run) -> dict[str, Any]:
    trace = run.trace
    point = [float(v) for v in trace.points[-1]] if "point" in trace else None
    return {
        "optimizer": run.optimizer.name,
        "hyperparameters": trace.config["hyperparameters"],
        "lr_predicted": trace.config["lr_predicted"],
        "outcome": trace.outcome.kind,
        "message": trace.outcome.message,
        "notes": list(trace.notes),
        "steps": trace.steps,
        "loss": {"first": float(trace.loss[0]), "last": float(trace.loss[-1]), "best": trace.best},
        "grad_norm": {"first": float(trace.grad_norm[0]), "last": float(trace.grad_norm[-1])},
        "point": point,
        "sign_changes": trace.sign_changes() if len(trace.variables) <= 8 else None,
        "stability": run.told.statement.to_dict(),
        "why": run.told.why,
        "advice": run.told.advice,
    }


def _save(goal: Any, runs: list[_Run], figure: Path | None, trace: Path | None, *, quiet: bool) -> None:
    if trace is not None:
        labels = [short_name(run.optimizer).replace(":", "-") for run in runs]
        for run, label in zip(runs, labels, strict=True):
            target = trace if len(runs) == 1 else trace.with_name(f"{trace.stem}-{label}{trace.suffix}")
            run.trace.save(target)
            _say(f"saved      {target}", quiet)
    if figure is not None:
        from descend.figures import draw_traces, save_figure

        sys.stdout.flush()
        drawn = draw_traces([run.trace for run in runs], goal=goal, stability=[run.told.statement for run in runs])
        save_figure(drawn, figure)
        _say(f"drawn      {figure}", quiet)


def _say(text: str, quiet: bool) -> None:
    click.echo(text, err=quiet)
