"""In the child process: find the user's object, say what failed with the user's line."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any

__all__ = ["Failed", "failure", "load", "opened"]


class Failed(Exception):  # noqa: N818  (what it says is a sentence, with or without an exception behind it)
    """Something that keeps the user's code from being checked, in a sentence."""

    def __init__(self, message: str, line: str | None = None) -> None:
        super().__init__(message)
        self.line = line


def failure(error: BaseException, path: str | None) -> Failed:
    """What a user's code raised, with the line of the user's file it happened on."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if path is not None and Path(f.filename).resolve() == Path(path).resolve()]
    own = own or [f for f in frames if "descend/check" not in f.filename.replace("\\", "/")]
    if isinstance(error, SyntaxError):
        place, line = f"{Path(error.filename or '').name}:{error.lineno}", (error.text or "").strip()
    else:
        place, line = (f"{Path(own[-1].filename).name}:{own[-1].lineno}", own[-1].line or "") if own else ("", "")
    said = " ".join(str(error).split())
    said = said if len(said) <= 200 else said[:199] + "…"
    kind = type(error).__name__
    if isinstance(error, SystemExit):
        message = f"your code ended the process with exit({error.code!r})"
    elif "leaf Variable that requires grad" in said and "in-place" in said:
        message = "a parameter that requires a gradient is changed in place while torch records: put step under torch.no_grad()"
    elif isinstance(error, MemoryError):
        message = "your code ran out of the memory it was given"
    else:
        message = f"{kind}: {said}" if said else kind
    return Failed(f"{place}: {message}" if place else message, line.strip() or None)


def load(target: str) -> tuple[Any, str, str | None]:
    """The object a target names, its name, and the file it came from: `file.py:Name`, `package.module:Name`."""
    where, _, name = target.rpartition(":")
    if not where:
        raise Failed(f"{target!r} names no optimizer: write file.py:Class, or module:Class such as torch.optim:Adam")
    module, path = opened(where)
    if where == "optax" and not hasattr(module, name) and hasattr(getattr(module, "contrib", None), name):
        module = module.contrib
    if not hasattr(module, name):
        own = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        listed = f"; it defines {', '.join(own[:20])}" if own else ""
        raise Failed(f"{where} defines no {name!r}{listed}")
    return getattr(module, name), name, path


def opened(where: str) -> tuple[Any, str | None]:
    """A module by the name it is imported by, or by its file; and the file."""
    if where.endswith(".py") or "/" in where:
        return _file(where)
    try:
        return importlib.import_module(where), None
    except ModuleNotFoundError as error:
        if error.name and where.split(".")[0] != error.name.split(".")[0]:
            raise failure(error, None) from None
        raise Failed(f"there is no module {where!r} here: {error}") from None


def _file(where: str) -> tuple[Any, str]:
    file = Path(where).expanduser()
    if not file.is_file():
        raise Failed(f"there is no file {where}")
    path = str(file.resolve())
    spec = importlib.util.spec_from_file_location(f"checked_{file.stem}", path)
    if spec is None or spec.loader is None:
        raise Failed(f"{where} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(file.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        raise failure(error, path) from None
    return module, path
