"""What commands that write files and run for a while share: checks before the work, and a line of progress."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from descend.cli.text import number
from descend.errors import DescendError

__all__ = ["Progress", "check_files"]


def check_files(*wanted: tuple[Path | None, tuple[str, ...]]) -> None:
    """Each path must have one of its endings and a folder to stand in: said before anything is computed."""
    for path, endings in wanted:
        if path is None:
            continue
        if path.suffix not in endings:
            choice = endings[0] if len(endings) == 1 else f"{', '.join(endings[:-1])} or {endings[-1]}"
            raise DescendError(f"{path.name!r} must end in {choice}")
        if not path.parent.is_dir():
            raise DescendError(f"there is no folder {str(path.parent)!r} to write {path.name!r} into")


class Progress:
    """One line on a terminal while a long descent runs; nothing in a pipe."""

    def __init__(self, show: bool) -> None:
        self.show, self.shown = show and sys.stderr.isatty(), False

    def __call__(self, trace: Any) -> None:
        if self.show:
            self.shown = True
            total, loss = trace.config["steps"], number(float(trace.loss[-1]))
            click.echo(f"\r  step {trace.steps:,} of {total:,}   loss {loss}   ", nl=False, err=True)

    def clear(self) -> None:
        """Wipe the line."""
        if self.shown:
            click.echo("\r" + " " * 70 + "\r", nl=False, err=True)
