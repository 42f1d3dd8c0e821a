"""`descend diagnose`: read training logs and say what is wrong with them, why, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from descend.cli.output import check_files
from descend.doctor.examine import diagnose as examine
from descend.doctor.finding import Diagnosis
from descend.errors import DescendError
from descend.trace import Trace, strict_json, write_atomically

__all__ = ["EXIT", "command", "mapping", "progress_line"]

#: Exit codes by verdict; 2 is for input that could not be read.
EXIT = {"healthy": 0, "cannot_tell": 0, "fault": 1}


def mapping(context: object, parameter: object, pairs: tuple[str, ...]) -> dict[str, str]:
    """`("loss=train/x",)` as a dictionary."""
    found = {}
    for pair in pairs:
        role, equals, name = pair.partition("=")
        if not equals or not role or not name:
            raise DescendError(f"--map takes ROLE=COLUMN, as in --map loss=train/x; it was given {pair!r}")
        found[known_role(role.strip())] = name.strip()
    return found


def known_role(role: str) -> str:
    """The role itself when a log can have it: a typing error would otherwise pass for a missing column."""
    from descend.logs import ROLES

    if role not in ROLES and not role.startswith("grad_norm/"):
        raise DescendError(f"--map knows no role {role!r}; the roles are {', '.join(ROLES)} and grad_norm/LAYER")
    return role


@click.command("diagnose")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--map", "columns", multiple=True, callback=mapping, metavar="ROLE=COLUMN", help="Say which column is the loss, lr …"
)
@click.option("--demo", is_flag=True, help="Diagnose three real runs that come with descend.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of runs, their verdicts and findings.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a report page, one self-contained file.")
@click.option(
    "--figure",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the curves with the evidence marked (PNG, SVG).",
)
@click.option("--all", "full", is_flag=True, help="List the conditions that are clear and why others cannot be told.")
def command(
    paths: tuple[Path, ...],
    columns: dict[str, str],
    demo: bool,
    as_json: bool,
    html: Path | None,
    figure: Path | None,
    full: bool,
) -> None:
    """Diagnose training logs: TensorBoard, W&B, MLflow, Trainer states, CSV, JSON lines, text, folders of them, or - for stdin.

    \b
    descend diagnose metrics.csv
    descend diagnose runs/ --html report.html
    tail -n +1 train.log | descend diagnose -
    descend diagnose metrics.csv --map loss=train/x --json

    Exit code 0: nothing wrong was found (healthy, or cannot tell); 1: at least one run has a fault; 2: something could not be
    read; 130: interrupted.
    """
    if not paths and not demo:
        raise DescendError("say which log to diagnose: a file, a folder, - for standard input, or --demo")
    check_files((html, (".html",)), (figure, (".png", ".svg")))
    failures: list[str] = []
    diagnoses: list[Diagnosis] = []
    try:
        for trace in traces(paths, columns, demo, failures.append):
            d = examine(trace)
            diagnoses.append(d if html or figure or as_json else slim(d))
            if not as_json:
                click.echo(("\n" if len(diagnoses) > 1 else "") + text(d, full))
    except KeyboardInterrupt:
        click.echo(f"stopped: {len(diagnoses)} runs were read", err=True)
        sys.exit(130)
    if as_json:
        click.echo(strict_json([d.to_dict() for d in diagnoses], indent=2))
    elif len(diagnoses) > 1:
        from descend.doctor.text import totals

        click.echo("\n" + totals(diagnoses))
    save(diagnoses, html, figure, quiet=as_json)
    for sentence in failures:
        click.echo(f"descend: {sentence}", err=True)
    sys.exit(2 if failures else max((EXIT[d.verdict] for d in diagnoses), default=2))


def traces(paths: tuple[Path, ...], columns: dict[str, str], demo: bool, fail: Callable[[str], None]) -> Iterator[Trace]:
    """Every run of every path, one after another; what cannot be read becomes a sentence."""
    if demo:
        from descend.doctor.demo import demo_traces

        yield from demo_traces()
    from descend.logs import scan

    for path in paths:
        try:
            for trace in scan(path, map=columns or None, progress=progress_line()):
                if not trace.columns and trace.notes:
                    fail(trace.notes[0])
                else:
                    yield trace
        except DescendError as error:
            fail(str(error))


def progress_line() -> Callable[[str, int, int], None] | None:
    """A line on stderr while a large file is read; nothing when nobody watches."""
    if not sys.stderr.isatty():
        return None

    def show(path: str, done: int, total: int) -> None:
        if total > 50e6:
            end = "\r" if done < total else "\n"
            click.echo(f"reading {Path(path).name}: {done / total:.0%} of {total / 1e6:.0f} MB", err=True, nl=False)
            click.echo(end, err=True, nl=False)

    return show


def slim(d: Diagnosis) -> Diagnosis:
    """The diagnosis without its columns: a folder of large logs never sits in memory whole."""
    return Diagnosis(d.source, d.run, d.verdict, d.sentence, (), Trace({}))


def text(d: Diagnosis, full: bool) -> str:
    from descend.cli.text import width
    from descend.doctor.text import render

    return render(d, width(), full)


def save(diagnoses: list[Diagnosis], html: Path | None, figure: Path | None, *, quiet: bool) -> None:
    """Write the files that were asked for, and say so: on stdout, or with `quiet` on stderr, beside the JSON."""
    if html:
        from descend.doctor.page import page

        write_atomically(html, lambda file: file.write(page(diagnoses).encode()))
        click.echo(f"saved      {html}", err=quiet)
    if figure:
        from descend.doctor.picture import save_figure

        left_out = save_figure(diagnoses, figure)
        click.echo(f"drawn      {figure}" + (f" ({left_out})" if left_out else ""), err=quiet)
