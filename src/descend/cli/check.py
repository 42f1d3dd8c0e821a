"""`descend check FILE.py:CLASS`: is an optimizer right, and if not, which equation differs."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from descend.errors import DescendError

__all__ = ["command"]

#: Seconds between two looks at a watched file, and for how long it must stand still to count as saved.
LOOK, SETTLE = 0.15, 0.05

Stamp = tuple[int, int, int]


@click.command(name="check")
@click.argument("target", metavar="FILE.py:NAME", required=False)
@click.option(
    "--as", "reference", metavar="RULE", help="What it is meant to be, such as adamw. Else by its name or by what it does."
)
@click.option(
    "--all", "module", metavar="MODULE", help="Every optimizer of a module or a file: optax, torch.optim, answers.py …"
)
@click.option("--adapter", metavar="NAME", help="How to drive it: torch, optax, keras, arena, class, function.")
@click.option("--map", "maps", metavar="THEIRS=OURS", multiple=True, help="What an argument is: --map decay=weight_decay.")
@click.option("--hint", is_flag=True, help="A nudge towards the mistake, and not the mistake.")
@click.option("--watch", is_flag=True, help="Check again whenever the file is saved.")
@click.option("--seconds", type=click.FloatRange(0.1, 86_400), default=20.0, show_default=True, help="Time your code may take.")
@click.option("--memory", type=click.IntRange(256), default=4096, show_default=True, help="Memory your code may take, in MB.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    target: str | None, reference: str | None, module: str | None, adapter: str | None, maps: tuple[str, ...], hint: bool,
    watch: bool, seconds: float, memory: int, as_json: bool,
) -> None:  # fmt: skip
    """Check an optimizer: right, a dialect, or wrong with the equation that differs.

    It runs in a process of its own. Exit code 0: right or a dialect; 1: wrong; 2: it could not be judged.
    With --watch: 0 when it is interrupted.

    \b
    descend check my_adam.py:Adam --as adamw
    descend check torch.optim:RAdam
    descend check --all optax
    """
    mapping = _mapping(maps)
    if seconds != seconds:
        raise click.BadParameter("nan is no number of seconds", param_hint="--seconds")
    limits = {"seconds": seconds, "megabytes": memory}
    if module is not None:
        sys.exit(_table(module, as_json, limits))
    if target is None:
        raise DescendError("name an optimizer: descend check my_adam.py:Adam --as adam, or descend check --all optax")
    if watch:
        _watch(target, reference, adapter, mapping, hint, as_json, limits)
        return
    sys.exit(_once(target, reference, adapter, mapping, hint, as_json, limits))


def _mapping(maps: tuple[str, ...]) -> dict[str, str]:
    pairs = [m.partition("=") for m in maps]
    for theirs, sign, ours in pairs:
        if not (theirs and sign and ours):
            raise DescendError(f"--map takes THEIRS=OURS, such as decay=weight_decay; got {theirs}{sign}{ours}")
    return {theirs: ours for theirs, _, ours in pairs}


def _once(
    target: str, reference: str | None, adapter: str | None, mapping: dict[str, str], hint: bool, as_json: bool, limits: Any
) -> int:
    from descend.check import check
    from descend.trace import strict_json

    report = check(target, reference, adapter=adapter, mapping=mapping, **limits)
    if as_json:
        click.echo(strict_json(report.to_dict(), indent=2))
    elif hint and report.verdict == "wrong" and any(m.hint for m in report.mistakes):
        click.echo(f"{report.target}  checked as {report.title}\n\n  wrong, here\n")
        click.echo("\n".join(f"  Hint: {m.hint}" for m in report.mistakes if m.hint))
    else:
        click.echo(str(report))
    return report.exit_code


def _watch(
    target: str, reference: str | None, adapter: str | None, mapping: dict[str, str], hint: bool, as_json: bool, limits: Any
) -> None:
    """Check now and after every save, until interrupted. What goes wrong in one round ends that round alone."""
    file = Path(target.rpartition(":")[0])
    if not file.is_file():
        raise DescendError(f"there is no file {file} to watch")
    seen: Stamp | None = None
    try:
        while True:
            now = _saved(file)
            if now is not None and now != seen:
                first, seen = seen is None, now
                if sys.stdout.isatty():
                    click.clear()
                try:
                    _once(target, reference, adapter, mapping, hint, as_json, limits)
                except DescendError as error:
                    if first:
                        raise
                    click.echo(f"descend: {error}", err=True)
                click.echo("\nwaiting for the next save; Ctrl-C ends", err=as_json)
            time.sleep(LOOK)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


def _saved(file: Path) -> Stamp | None:
    """What changes when a file is saved, once it stands still; None while it is away, as between an editor's two renames."""
    before = _stamp(file)
    while True:
        time.sleep(SETTLE)
        now = _stamp(file)
        if now == before:
            return now
        before = now


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _table(module: str, as_json: bool, limits: Any) -> int:
    """One line per optimizer of a module."""
    from descend.check.checking import check_all
    from descend.check.text import line_of
    from descend.trace import strict_json

    reports = []
    if not as_json:
        click.echo(f"every optimizer of {module}\n")
    for report in check_all(module, **limits):
        reports.append(report)
        if not as_json:
            name, verdict, said = line_of(report)
            click.echo(f"  {name:<34}{verdict:<15}{said}")
    if as_json:
        click.echo(strict_json([r.to_dict() for r in reports], indent=2))
    else:
        counts = {
            v: sum(r.verdict == v for r in reports) for v in ("right", "dialect", "wrong", "no_reference", "could_not_run")
        }
        if not reports:
            click.echo(
                f"  {module} has no optimizer of torch's, Keras's or optax's kind, nor one that takes parameters and gradients"
            )
        click.echo("\n  " + ", ".join(f"{n} {v.replace('_', ' ')}" for v, n in counts.items() if n))
    if any(r.verdict == "wrong" for r in reports):
        return 1
    return 0 if any(r.verdict in ("right", "dialect", "no_reference") for r in reports) else 2
