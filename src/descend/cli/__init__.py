"""The command line: one file per command, imported when it is called, so that `descend --help` stays quick."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from typing import Any

import click

from descend import __version__
from descend.errors import DescendError

__all__ = ["main"]

#: Command -> what it does, in the words of the help. Its code is `descend.cli.<command>:command`.
COMMANDS = {
    "run": "Run gradient descent on an expression, a surface or your own function, and say why it did what it did.",
    "lr": "Predict the largest stable learning rate and recommend one, per optimizer.",
    "gradient": "Derive a gradient, evaluate it and check it by finite differences.",
    "fit": "Fit a line to your own data by gradient descent, beside least squares.",
    "map": "Draw a map of two hyperparameters: a complete descent for each pixel.",
    "lab": "Open the playground: a local page where hyperparameters are the picture.",
    "diagnose": "Read training logs and say what is wrong, why, and what to do.",
    "watch": "Follow a log that is being written and speak once, when something becomes evident.",
    "check": "Check an optimizer of anybody: right, a dialect, or wrong with the equation that differs.",
    "optimizers": "List the optimizers, or show the equations of one.",
    "surfaces": "List the named surfaces, or describe one.",
}


class Failure(click.ClickException):
    """One sentence on stderr and exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"descend: {self.message}", file=file or sys.stderr)


class Lazy(click.Group):
    """A group that imports a command's module when the command is used, and turns a DescendError into a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"descend.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command, rest if command is None else _with_minus(command, rest)

    def invoke(self, ctx: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show β gets a question mark, not a traceback
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except DescendError as error:
            raise Failure(str(error)) from None
        except BrokenPipeError:  # the reader of our output has gone, as `| head` does
            _discard_output()
            return None
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            _discard_output()
            raise Failure(f"could not write the output: {error.strerror}") from None


def _discard_output() -> None:
    """What is still buffered goes nowhere, so that closing the stream cannot fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _with_minus(command: click.Command, args: list[str]) -> list[str]:
    """An expression that begins with a minus is an argument, not an option."""
    from descend.cli.points import protect_minus

    options = [p for p in command.params if isinstance(p, click.Option)]
    takes_value = {name for option in options if not option.is_flag for name in option.opts}
    return protect_minus(args, takes_value, {name for option in options for name in option.opts} | {"-h", "--help"})


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="descend")
def main() -> None:
    """Gradient descent: run it, see it, find out what is wrong with it, fix it.

    \b
    descend run "x**2 + 3*y**2" --start 4,3 --lr 0.4 --figure bowl.png
    descend run rosenbrock --optimizer sgd --optimizer adam:lr=0.05
    descend fit data.csv --target y
    """
