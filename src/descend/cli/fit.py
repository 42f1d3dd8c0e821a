"""`descend fit`: a line through the user's own data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from descend.cli.output import Progress, check_files
from descend.cli.text import labelled, log_spaced, number, table
from descend.errors import DescendError

if TYPE_CHECKING:
    from descend.fitting import Fit

__all__ = ["command"]

#: Coefficients that get a column each in the table of steps.
COLUMNS = 6


def _once(ctx: click.Context, option: click.Parameter, values: tuple[Any, ...]) -> Any:
    """The one value of an option; a second would silently take the place of the first."""
    if len(values) > 1:
        raise DescendError(f"{option.opts[0]} is given {len(values)} times; a fit takes one: {values[0]} or {values[1]}")
    return values[0] if values else None


@click.command(name="fit")
@click.argument("data", required=False)
@click.option("--target", metavar="COLUMN", help="The column to predict: its name, or its number where there is no header.")
@click.option("--features", metavar="A,B,…", help="Columns to predict from. Default: all others that hold numbers.")
@click.option("--lr", metavar="RATE", help="Learning rate. Default: the predicted one.")
@click.option("--steps", type=int, help="Steps to make. Default: up to 1000, until the gradient has vanished.")
@click.option(
    "--optimizer",
    default=("sgd",),
    show_default=True,
    metavar="NAME[:KEY=VALUE,…]",
    help="adam:lr=0.1 and so on.",
    multiple=True,
    callback=_once,
)
@click.option(
    "--standardise/--no-standardise", default=None, help="Mean 0 and deviation 1 for the descent. Default: yes for files."
)
@click.option("--batch-size", type=int, metavar="ROWS", help="Rows each step sees, drawn anew. Default: all of them.")
@click.option("--start", metavar="P", help="Weights and intercept to start from: 0,0 or w=0,b=0. Default: zeros.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the batches.")
@click.option(
    "--every", type=int, metavar="N", help="Print each N-th step as a training loop would: loss before, values after it."
)
@click.option("--decimal", type=click.Choice([".", ","]), help="The file's decimal sign, where it cannot be told.")
@click.option("--demo", metavar="NAME", help="Data to try: line, curve or five.")
@click.option(
    "--figure",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw line, data and descent as .png or .svg.",
    multiple=True,
    callback=_once,
)
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save every step as .npz, .json or .csv.",
    multiple=True,
    callback=_once,
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(data: str | None, demo: str | None, figure: Path | None, trace: Path | None, as_json: bool, **options: Any) -> None:
    """Fit a line to the columns of DATA by gradient descent, and compare it with least squares.

    DATA is a CSV file or one of its relatives (tab, semicolon, bar or space between cells; gzipped or not), or - for
    standard input. Rows with missing cells are dropped and counted. Columns are standardised for the descent, which is
    undone in all coefficients that are reported.

    \b
    descend fit data.csv --target price
    descend fit data.csv --target price --features area,rooms --optimizer adam --figure fit.png
    descend fit --demo line
    descend fit --demo line --lr 1.0
    """
    check_files((figure, (".png", ".svg")), (trace, (".npz", ".json", ".csv")))
    found = _fitted(data, demo, options, show=not as_json)
    if as_json:
        click.echo(found.to_json(indent=2))
    else:
        click.echo("\n".join(_report(found, options["every"])))
    _save(found, figure, trace, quiet=as_json)


def _fitted(data: str | None, demo: str | None, options: dict[str, Any], *, show: bool) -> Fit:
    """Read the data and fit it; a demo brings settings of its own for what is not stated."""
    from descend.objectives.data import dataset, demo_named

    every, steps = options["every"], options["steps"]
    for name, value in (("every", every), ("steps", steps)):
        if value is not None and value < 1:
            raise DescendError(f"--{name} must be a whole number of at least 1; got {value}")
    if demo is not None:
        for given, name in ((data, "DATA"), (options["target"], "--target"), (options["features"], "--features")):
            if given is not None:
                raise DescendError(f"--demo brings its own data; leave out {name}")
        shown = demo_named(demo)
        if options["standardise"] is None:
            options["standardise"] = False
        if not options["standardise"]:
            plain = options["optimizer"] == "sgd" and options["lr"] is None
            options["lr"] = str(shown.lr) if plain else options["lr"]
            options["steps"] = steps or shown.steps
            options["every"] = every or max(shown.every, options["steps"] // 5)
        return _fit(shown.make(), options, show)
    if data is None:
        raise DescendError("name a file to fit, - for standard input, or a demo: descend fit --demo line")
    names = None if options["features"] is None else [part.strip() for part in options["features"].split(",") if part.strip()]
    if names is not None and not names:
        raise DescendError("--features names no column; write --features a,b")
    return _fit(dataset(data, target=options["target"], features=names, decimal=options["decimal"]), options, show)


def _fit(rows: Any, options: dict[str, Any], show: bool) -> Fit:
    from descend.cli.options import parse_optimizer
    from descend.cli.points import parse_point
    from descend.fitting import fit
    from descend.objectives.regression import parameter_names

    start = options["start"]
    bar = Progress(show)
    found = fit(
        rows,
        optimizer=parse_optimizer(options["optimizer"], options["lr"]),
        steps=options["steps"],
        standardise=options["standardise"] is not False,
        batch_size=options["batch_size"],
        start=None if start is None else parse_point(start, parameter_names(rows.features)),
        seed=options["seed"],
        callback=bar,
    )
    bar.clear()
    return found


# -- printing -------------------------------------------------------------------------------------------------------------


def _report(fit: Fit, every: int | None) -> list[str]:
    from descend.fit_report import explained

    told = explained(fit)
    lines = [*_data_lines(fit), *_model_lines(fit), "", *_steps_table(fit, every), ""]
    outcome = fit.trace.outcome
    if outcome is not None:
        lines.append(labelled("outcome", outcome.message + _units(fit)))
    if told.why:
        lines.append(labelled("why", " ".join(told.why)))
    lines += ["", _result_table(fit), ""]
    lines += [labelled("result", " ".join(fit.conclusion()))]
    lines += [labelled("try" if i == 0 else "or", text) for i, text in enumerate(told.advice)]
    return lines


def _data_lines(fit: Fit) -> list[str]:
    data = fit.data
    names = ", ".join(data.features[:8]) + (f" and {len(data.features) - 8} more" if len(data.features) > 8 else "")
    rows = f"{data.rows:,} rows" if data.rows == data.rows_read else f"{data.rows:,} of {data.rows_read:,} rows"
    text = f"{data.source}: {rows}; {data.target} from {names}"
    return [labelled("data", text), *(labelled("", note + ".") for note in data.notes)]


def _model_lines(fit: Fit) -> list[str]:
    from descend.cli.options import short_name
    from descend.equations import lines as equations

    data, model = fit.data, fit.model
    lines = [labelled("model", f"{model.formula(data.features, data.target)}, minimising the {model.loss_name}")]
    rate = f"   (lr predicted: {fit.lr_reason})" if fit.lr_reason else ""
    lines.append(labelled("optimizer", f"{short_name(fit.optimizer)}{rate}   {'; '.join(equations(fit.optimizer))}"))
    if fit.batch_size is not None:
        batch = (
            f"{fit.batch_size:,} of {data.rows:,} rows a step, drawn anew with seed {fit.seed}; each step's loss is its batch's"
        )
        lines.append(labelled("batches", batch))
    if fit.standardised:
        lines.append(
            labelled("units", "columns and target standardised for the descent; the numbers below are in the data's own units")
        )
    return lines


def _steps_table(fit: Fit, every: int | None) -> list[str]:
    """Log-spaced points; or each N-th step as a training loop prints it: the loss before its update, the values after."""
    names = fit.names if len(fit.names) <= COLUMNS else ()
    path, losses = (fit.path if names else None), fit.losses
    first = int(fit.trace.step[0])
    loss = "batch loss" if fit.batch_size is not None else "loss"
    if every is None:
        shown, after, caption = log_spaced(len(losses) - 1), 0, []
        headers = ["step", loss, *names]
    else:
        shown, after = list(range(0, len(losses) - 1, every)), 1
        headers = ["step", f"{loss} before", *(f"{n} after" for n in names)]
        caption = ["  As a training loop prints it: each row has the loss before its update and the values after it."]
        caption += [f"  After all {len(losses) - 1:,} steps the values are in the last table."]
    rows = []
    for k in shown:
        values = [] if path is None else path[k + after].tolist()
        if every is None:
            cells = [number(float(losses[k])), *map(number, values)]
        else:
            cells = [_fixed(float(losses[k]), 4), *(_fixed(v, 3) for v in values)]
        rows.append([f"{first + k:,}", *cells])
    return [table(headers, rows), *caption]


def _fixed(value: float, decimals: int) -> str:
    """So many decimals where the number is neither tiny nor huge."""
    return f"{value:.{decimals}f}" if 10.0 ** (1 - decimals) <= abs(value) < 1e6 else number(value)


def _units(fit: Fit) -> str:
    if not fit.standardised:
        return ""
    return f" (Losses in this sentence are of the standardised target: {number(fit.scaling.y_scale**2, 4)} times less.)"


def _result_table(fit: Fit) -> str:
    """Every coefficient, the MSE and R² beside least squares, in the data's own units."""
    exact, data = fit.least_squares, fit.data
    own, best = [*fit.coefficients, fit.intercept], [*exact.coefficients, exact.intercept]
    tiny = [1e-13 * float(data.y.std() / s) for s in data.X.std(axis=0)] + [1e-13 * float(abs(data.y).max())]
    rows = []
    for name, of, mine, theirs, least in zip(fit.names, (*data.features, "intercept"), own, best, tiny, strict=True):
        rows.append([name, of, *_beside(float(mine), 0.0 if abs(theirs) < least else float(theirs))])
    variance = float(data.y.var())
    rows.append([fit.model.loss_name, "over all rows", *_beside(fit.loss, exact.mse)])
    rows.append(["R²", "", *_beside(fit.r2, 1 - exact.mse / variance)])
    return table(["", "", "descent", "least squares", "difference"], rows, left=2)


def _beside(mine: float, theirs: float) -> list[str]:
    return [number(mine), number(theirs), number(mine - theirs, 3)]


def _save(fit: Fit, figure: Path | None, trace: Path | None, *, quiet: bool) -> None:
    if trace is not None:
        fit.trace.save(trace)
        units = " (as the descent ran: standardised)" if fit.standardised else ""
        click.echo(f"saved      {trace}{units}", err=quiet)
    if figure is not None:
        from descend.figures import save_figure

        sys.stdout.flush()
        save_figure(fit.plot(), figure)
        click.echo(f"drawn      {figure}", err=quiet)
