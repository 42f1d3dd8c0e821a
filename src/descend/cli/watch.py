"""`descend watch`: follow a log that is being written and speak once, when something becomes evident."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from descend.cli.diagnose import mapping
from descend.cli.diagnose import text as report
from descend.doctor.examine import diagnose as examine
from descend.doctor.finding import Diagnosis
from descend.errors import DescendError

__all__ = ["command", "evident"]


def evident(d: Diagnosis, before: Diagnosis | None, confidence: float) -> bool:
    """Whether a fault is worth interrupting somebody: sure enough, and the same twice in a row (a NaN at once).

    A run that is still young looks too slow or stuck to any judge; one look is not evidence.
    """
    if d.verdict != "fault" or d.found[0].confidence < confidence:
        return False
    first = d.found[0].condition
    return first in ("nan", "hidden-nan") or (
        before is not None and before.verdict == "fault" and before.found[0].condition == first
    )


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

    Exit code 1: a fault became evident (its report is printed); 0: --timeout passed, --once saw no fault, or interrupted;
    2: the path could not be read.
    """
    if once and not path.exists():
        raise DescendError(f"there is no file or folder {str(path)!r}")
    if not interval > 0:
        raise DescendError(f"--interval is a number of seconds above 0; it is {interval:g}")
    from descend.logs import Follower

    follower, seen = Follower(path, map=columns or None), dict[tuple[str, str], Diagnosis]()
    began = time.monotonic()
    try:
        while True:
            for trace in follower.poll() if path.exists() else []:
                d, key = examine(trace), (trace.source, trace.name)
                if evident(d, d if once else seen.get(key), confidence):
                    click.echo(report(d, False))
                    sys.exit(1)
                seen[key] = d
            if once or (timeout is not None and time.monotonic() - began + interval > timeout):
                break
            time.sleep(interval)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    for d in seen.values():
        click.echo(f"{d.verdict.replace('_', ' ')}: {' '.join(part for part in (d.source, d.run) if part)}")
    if once and not seen:
        raise DescendError(f"{str(path)!r} holds no training log yet")
