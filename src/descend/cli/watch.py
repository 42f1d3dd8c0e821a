"""`descend watch`: follow a log that is being written and speak once, when something becomes evident."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from descend.cli.diagnose import mapping
from descend.cli.diagnose import text as report
from descend.doctor.examine import diagnose as examine
from descend.doctor.finding import Diagnosis, Finding
from descend.doctor.scorer import family_of
from descend.doctor.text import heading, summary
from descend.errors import DescendError

__all__ = ["command", "evident"]

#: Families of causes that are judged against the length of the run, which a run that is still going does not have yet.
BY_LENGTH = ("slow", "schedule")


def evident(d: Diagnosis, before: Diagnosis | None, confidence: float) -> bool:
    """Whether a fault is worth interrupting somebody: sure enough, and the same twice in a row (a NaN at once).

    What is judged against the run's length is never evident: while a run goes on, every healthy one looks slow at first.
    """
    first = interrupting(d)
    if first is None or first.confidence < confidence:
        return False
    if first.condition in ("nan", "hidden-nan"):
        return True
    same = interrupting(before) if before is not None else None
    return same is not None and same.condition == first.condition


def interrupting(d: Diagnosis) -> Finding | None:
    """The first fault that does not depend on how long the run will be."""
    faults = [f for f in d.found if f.kind == "fault" and family_of(f.condition) not in BY_LENGTH]
    return faults[0] if d.verdict == "fault" and faults else None


def closing(d: Diagnosis) -> str:
    """What the last look at a run saw, in a line."""
    line = f"{d.verdict.replace('_', ' ')}: {heading(d)}"
    return f"{line} ({summary(d)}, if the run ended here)" if d.verdict == "fault" else line


def refuse(path: Path, interval: float, timeout: float | None, once: bool, confidence: float) -> None:
    """One sentence for what could only be waited for in vain."""
    if str(path) == "-":
        raise DescendError("watch follows a file or a folder; standard input is read by descend diagnose -")
    if once and not path.exists():
        raise DescendError(f"there is no file or folder {str(path)!r}")
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DescendError(f"{str(path)!r} is neither a file nor a folder; it cannot be followed")
    if not interval > 0:
        raise DescendError(f"--interval is a number of seconds above 0; it is {interval:g}")
    if timeout is not None and not timeout >= 0:
        raise DescendError(f"--timeout is a number of seconds, 0 or more; it is {timeout:g}")
    if not 0 <= confidence <= 1:
        raise DescendError(f"--confidence is a number from 0 to 1; it is {confidence:g}")


@click.command("watch")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--map", "columns", multiple=True, callback=mapping, metavar="ROLE=COLUMN", help="Say which column is the loss, lr …"
)
@click.option("--interval", default=5.0, show_default=True, help="Seconds between two looks.")
@click.option("--timeout", type=float, help="Stop after this many seconds and exit with 0 if nothing was evident.")
@click.option("--once", is_flag=True, help="Look once and exit.")
@click.option("--confidence", default=0.8, show_default=True, help="How sure to be before speaking.")
def command(path: Path, columns: dict[str, str], interval: float, timeout: float | None, once: bool, confidence: float) -> None:
    """Follow a live log (or a folder of them) and speak once, when a fault becomes evident.

    \b
    descend watch runs/today/ && echo fine
    descend watch train.log --timeout 3600 || kill $TRAINING

    Whether a run is too slow depends on how long it will be: that is left to diagnose, and said here in the closing line only.

    Exit code 1: a fault became evident (its report is printed); 0: --timeout passed, --once saw none, or interrupted;
    2: the path could not be read.
    """
    refuse(path, interval, timeout, once, confidence)
    from descend.logs import Follower

    if not once and sys.stderr.isatty():
        click.echo(f"watching {path} every {interval:g} s; Ctrl-C ends it", err=True)

    follower, seen = Follower(path, map=columns or None), dict[tuple[str, str], Diagnosis]()
    began = time.monotonic()
    try:
        while True:
            for trace in follower.poll() if path.exists() else []:
                d, key = examine(trace), (trace.source, trace.name)
                if evident(d, d if once else seen.get(key), confidence):
                    click.echo(report(d, False))
                    sys.exit(1)
                if "loss" not in d.trace.columns and key not in seen:
                    click.echo(f"descend: {heading(d)}: {d.sentence}", err=True)
                seen[key] = d
            if once or (timeout is not None and time.monotonic() - began + interval > timeout):
                break
            time.sleep(interval)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    for d in seen.values():
        click.echo(closing(d))
    if once and not seen:
        raise DescendError(f"{str(path)!r} holds no training log yet")
