"""The command line: one file per command, imported when it is called, so that `descend --help` stays quick."""

from __future__ import annotations

import importlib
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
        return name, command, [_minus(token, before) for token, before in zip(rest, ["", *rest], strict=False)]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DescendError as error:
            raise Failure(str(error)) from None
        except BrokenPipeError:  # the reader of our output has gone, as `| head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None


def _minus(token: str, before: str) -> str:
    """An expression or a point that begins with a minus is an argument, not an option: give it the mathematical sign."""
    option = token.startswith("--") or token in ("-", "-h") or not token.startswith("-")
    return token if option or before.startswith("--") else "−" + token[1:]


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="descend")
def main() -> None:
    """Gradient descent: run it, see it, find out what is wrong with it, fix it.

    \b
    descend run "x**2 + 3*y**2" --start 4,3 --lr 0.4 --figure bowl.png
    descend run rosenbrock --optimizer sgd --optimizer adam:lr=0.05
    descend fit data.csv --target y
    """
