"""A page's descents as something to run elsewhere: one command, or a few lines of Python. Both give the page's numbers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from descend.lab.descents import Asked, asked
from descend.lab.desk import Talk
from descend.lab.frames import Frame
from descend.rules import Optimizer
from descend.schedules import Schedule

__all__ = ["as_command", "as_python", "share"]


def share(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The descents of these params as `descend run …` and as Python."""
    told = asked(params)
    text = str(params.get("objective")).strip()
    return Frame({"command": as_command(told, text), "python": as_python(told, text)})


def as_command(told: Asked, objective: str) -> str:
    """One line for a POSIX shell.

    >>> as_command(asked({"objective": "x**2", "start": [-4], "steps": 9}), "x**2")
    "descend run 'x**2' --start -4 --optimizer sgd --steps 9 --seed 0"
    """
    words = ["descend", "run", objective, "--start", ",".join(_digits(v) for v in told.start)]
    for optimizer in told.optimizers:
        values = ",".join(f"{k}={_word(v)}" for k, v in _stated(optimizer).items())
        words += ["--optimizer", f"{optimizer.name}:{values}" if values else optimizer.name]
    words += ["--steps", str(told.steps)]
    for name, value in (("--noise", told.noise or None), ("--tol-grad", told.tol_grad), ("--tol-loss", told.tol_loss)):
        words += [] if value is None else [name, _digits(value)]
    return shlex.join([*words, "--seed", str(told.seed)])


def as_python(told: Asked, objective: str) -> str:
    """A short program; each trace stands in `traces`."""
    goal = repr(objective)
    if told.noise:
        goal = f"ds.noisy({goal}, {_digits(told.noise)})"
    options = f"steps={told.steps}, seed={told.seed}"
    for name in ("tol_grad", "tol_loss"):
        value = getattr(told, name)
        options += "" if value is None else f", {name}={_digits(value)}"
    start = ", ".join(_digits(v) for v in told.start)
    optimizers = "".join(f"    {_call(o)},\n" for o in told.optimizers)
    return (
        "import descend as ds\n\n"
        f"objective = {goal}\n"
        f"optimizers = [\n{optimizers}]\n"
        f"traces = [ds.descend(objective, [{start}], optimizer, {options}) for optimizer in optimizers]\n"
        "for trace in traces:\n"
        '    print(trace.config["optimizer"], trace.loss[-1], trace.outcome.message)\n'
    )


def _stated(optimizer: Optimizer) -> dict[str, Any]:
    return {k: v for k, v in optimizer.hyperparameters.items() if k in optimizer.stated}


def _call(optimizer: Optimizer) -> str:
    values = ", ".join(f"{k}={_python(v)}" for k, v in _stated(optimizer).items())
    return f"ds.{optimizer.name}({values})"


def _python(value: Any) -> str:
    if isinstance(value, Schedule):
        return f"ds.{value!r}"
    return _digits(value) if isinstance(value, float) else repr(value)


def _word(value: Any) -> str:
    """A value as the command line takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return _digits(value) if isinstance(value, float) else str(value)


def _digits(value: float) -> str:
    """The shortest text that is this very number; whole numbers without a point."""
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
