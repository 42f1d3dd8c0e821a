"""Points on the command line: `4,3`, `-1,2`, `x=4,y=3`."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from descend.errors import DescendError

__all__ = ["parse_point", "protect_minus"]

_SIGNED = re.compile(r"-[^-]")
_MINUS = str.maketrans("−–", "--")


def parse_point(text: str, variables: tuple[str, ...] = ()) -> np.ndarray:
    """The coordinates in `text`, float64 of shape (n,), ordered as in `variables`.

    Separated by commas, semicolons or spaces; by place, or all by name. Without `variables` there may be any number, by place.

    >>> parse_point("-1, 2", ("x", "y")), parse_point("y=3,x=4", ("x", "y"))
    (array([-1.,  2.]), array([4., 3.]))
    """
    names = f" ({', '.join(variables)})" if 0 < len(variables) <= 12 else ""
    parts = [part for part in re.split(r"[,;\s]+", re.sub(r"\s*=\s*", "=", text.strip().strip("()[]"))) if part]
    if not parts:
        raise DescendError(f"the point {text!r} has no coordinates: write one number per variable{names}, such as 4,3")
    named = [part for part in parts if "=" in part]
    if named and len(named) != len(parts):
        raise DescendError(f"the point {text!r} mixes named and unnamed coordinates: write 4,3 or x=4,y=3")
    if named:
        return _by_name(text, named, variables, names)
    values = [_coordinate(part, text) for part in parts]
    if variables and len(values) != len(variables):
        n = len(variables)
        raise DescendError(f"the point {text!r} has {_count(len(values))}; {n} {'is' if n == 1 else 'are'} needed{names}")
    return np.array(values, float)


def _by_name(text: str, parts: list[str], variables: tuple[str, ...], names: str) -> np.ndarray:
    if not variables:
        raise DescendError(f"the point {text!r} names coordinates, but this objective's have no names: write 4,3")
    found: dict[str, float] = {}
    for part in parts:
        name, _, value = part.partition("=")
        if name not in variables:
            raise DescendError(f"the point {text!r} names {name!r}, which is not a variable here{names}")
        if name in found:
            raise DescendError(f"the point {text!r} gives {name} twice")
        found[name] = _coordinate(value, text)
    missing = [name for name in variables if name not in found]
    if missing:
        raise DescendError(f"the point {text!r} does not give {', '.join(missing[:5])}")
    return np.array([found[name] for name in variables], float)


def _coordinate(part: str, text: str) -> float:
    try:
        value = float(part.translate(_MINUS))
    except ValueError:
        raise DescendError(f"{part!r} in the point {text!r} is not a number") from None
    if not math.isfinite(value):
        raise DescendError(f"{part!r} in the point {text!r} is not a finite number")
    return value


def _count(n: int) -> str:
    return f"{n} coordinate{'' if n == 1 else 's'}"


def protect_minus(args: list[str], takes_value: set[str], options: set[str]) -> list[str]:
    """Arguments such as -x^2 with a true minus sign, so that they are not taken for options; values of options as they are.

    >>> protect_minus(["-x^2", "--json", "-y", "--at", "-1", "-h"], {"--at"}, {"--at", "--json", "-h"})
    ['−x^2', '--json', '−y', '--at', '-1', '-h']
    """
    guarded = []
    for before, arg in zip(["", *args], args, strict=False):
        argument = _SIGNED.match(arg) and arg not in options and before not in takes_value
        guarded.append("−" + arg[1:] if argument else arg)
    return guarded


def start_point(goal: Any, text: str | None) -> np.ndarray:
    """The start a user typed, or an objective's usual one."""
    if text is not None:
        return parse_point(text, goal.variables)
    if goal.start is not None:
        return np.array(goal.start, dtype=np.float64)
    example = ",".join("1" for _ in goal.variables) or "1,1"
    each = f", one number for each of {', '.join(goal.variables)}" if goal.variables else ""
    raise DescendError(f"a start point is needed{each}: --start {example}")
