"""The named surfaces: well-known test functions and small teaching ones, each an expression."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

from descend.errors import DescendError
from descend.objectives.expression import parse
from descend.objectives.objective import Objective

__all__ = ["SURFACES", "Surface", "surface_named"]

Box = tuple[tuple[float, float], ...]
Points = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Surface:
    """A named function: its formula, where it is drawn, where it is lowest, and what it teaches."""

    name: str
    title: str
    formula: str
    domain: Box
    #: All points where it is lowest; empty where there is none.
    minima: Points
    minimum: float | None
    start: tuple[float, ...]
    #: What it teaches, in a sentence.
    note: str
    source: str

    def objective(self) -> Objective:
        """The surface as something to minimise; always the same object."""
        return _objective(self.name)


SURFACES: dict[str, Surface] = {}


@cache
def _objective(name: str) -> Objective:
    surface = SURFACES[name]
    expression = parse(surface.formula)
    return Objective(
        fun=expression,
        name=surface.name,
        text=expression.text,
        variables=expression.variables,
        domain=surface.domain,
        minima=surface.minima,
        minimum=surface.minimum,
        note=surface.note,
        start=surface.start,
        immutable=True,
        expression=expression,
    )


def surface_named(name: str) -> Surface:
    """The surface of that name; a `DescendError` suggests the nearest one."""
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key in SURFACES:
        return SURFACES[key]
    close = difflib.get_close_matches(key, SURFACES, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise DescendError(f"no surface is named {name!r}; {hint}there are {', '.join(SURFACES)}")


def _add(
    name: str,
    title: str,
    formula: str,
    box: Box,
    minima: Points,
    low: float | None,
    start: tuple[float, ...],
    note: str,
    source: str,
) -> None:
    SURFACES[name] = Surface(name, title, formula, box, minima, low, start, note, source)


def _square(half: float) -> Box:
    return ((-half, half), (-half, half))


_add(
    "rosenbrock",
    "Rosenbrock",
    "(1 - x)^2 + 100(y - x^2)^2",
    ((-2.0, 2.0), (-1.0, 3.0)),
    ((1.0, 1.0),),
    0.0,
    (-1.2, 1.0),
    "A curved valley: its floor is found at once, and then each step along it is tiny.",
    "Rosenbrock 1960",
)
