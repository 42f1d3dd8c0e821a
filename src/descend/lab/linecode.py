"""A line fit as Python and as a command: what the page copies, and a reader runs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from descend.errors import DescendError
from descend.lab.linefit import Line

__all__ = ["as_command", "as_python"]


def as_python(told: Line, data: Any, source: Any = None) -> str:
    """The fit as a few lines of Python; `source` names the user's own file, where the data is one, unchanged."""
    lines = ["import descend as ds"]
    file = _file_of(source)
    if file is not None:
        what = f"{file!r}, target={told.data.target!r}, features=[{told.data.features[0]!r}]"
    elif "demo" in data:
        lines.append("from descend.objectives.data import demo_named")
        what = f"demo_named({str(data['demo'])!r}).make()"
    else:
        lines += ["", f"x = {told.x.tolist()}", f"y = {told.data.y.tolist()}"]
        what = "x, y"
    rest = f"steps={told.steps}, start={list(told.start)}, standardise={told.standardise}"
    return "\n".join([*lines, "", f"found = ds.fit({what}, optimizer={_call(told)}, {rest})", "print(found)", ""])


def as_command(told: Line, data: Any, source: Any = None) -> str:
    """The fit as one command of a shell; points travel through standard input."""
    file = _file_of(source)
    values = ",".join(f"{k}={_shown(v)}" for k, v in told.optimizer.hyperparameters.items() if k in told.optimizer.stated)
    name = told.optimizer.rule.name + (f":{values}" if values else "")
    options = f"--optimizer {shlex.quote(name)} --steps {told.steps} --start={told.start[0]!r},{told.start[1]!r}"
    options += " --standardise" if told.standardise else " --no-standardise"
    if file is not None:
        columns = f"--target {shlex.quote(told.data.target)} --features {shlex.quote(told.data.features[0])}"
        return f"descend fit {shlex.quote(file)} {columns} {options}"
    if "demo" in data:
        return f"descend fit --demo {data['demo']} {options}"
    rows = " ".join(f"{x!r},{y!r}" for x, y in zip(told.x.tolist(), told.data.y.tolist(), strict=True))
    return f"printf '%s\\n' x,y {rows} | descend fit - --target y {options}"


def _call(told: Line) -> str:
    optimizer = told.optimizer
    values = ", ".join(f"{k}={_shown(v)}" for k, v in optimizer.hyperparameters.items() if k in optimizer.stated)
    return f"ds.{optimizer.rule.name}({values})"


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, bool | int | float) else f"{value}"


def _file_of(source: Any) -> str | None:
    """The file's name, where the page says that its points are a file's two columns as they stand."""
    if source is None:
        return None
    if not isinstance(source, Mapping) or not isinstance(source.get("file"), str) or not 0 < len(source["file"]) <= 200:
        raise DescendError('a source is {"file": "data.csv"}')
    return str(source["file"])
