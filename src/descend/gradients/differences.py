"""Slopes by finite differences: forward (the secant) and central, for any function of arrays."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.gradients.layout import columns, number, size
from descend.trees import flatten

__all__ = ["DifferenceRow", "DifferenceTable", "Flat", "difference_table"]

Vector = np.ndarray
#: The step sizes of a table: from where the curve still bends to where rounding takes over.
STEPS = tuple(10.0**-k for k in range(1, 9))


def double_precision() -> AbstractContextManager[Any]:
    """float64 inside JAX functions too, where JAX is in use; left as it was afterwards."""
    jax: Any = sys.modules.get("jax")
    if jax is None:
        return nullcontext()
    switch = jax.enable_x64 if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental").enable_x64
    entered: AbstractContextManager[Any] = switch(True)
    return entered


class Flat:
    """A function of arrays (or dicts, lists, tuples of them) as a function of one float64 vector.

    Parts are handed over as the arrays they came as: NumPy, torch (in float64), JAX (in float64 under the local switch).
    """

    def __init__(self, f: Callable[[Any], Any], x: Any) -> None:
        self.f = f
        bare = isinstance(x, int | float) or (
            isinstance(x, list | tuple) and all(isinstance(v, int | float) for v in x)
        )  # a plain list of numbers is one array
        self.tree = np.asarray(x, float) if bare else x
        self.leaves, self.rebuild = flatten(self.tree)
        if not self.leaves:
            raise DescendError("the point holds no numbers")
        self.shapes = [tuple(np.shape(leaf)) for leaf in self.leaves]
        self.sizes = [int(np.prod(shape)) for shape in self.shapes]
        self.point = self._vector(self.leaves, "the point")
        self.names = self._names()

    def _vector(self, leaves: Sequence[Any], what: str) -> Vector:
        try:
            vector = np.concatenate([np.asarray(_plain(leaf), float).ravel() for leaf in leaves])
        except (TypeError, ValueError):
            raise DescendError(f"{what} must hold numbers only") from None
        if what == "the point" and not np.all(np.isfinite(vector)):
            raise DescendError("the point holds a number that is not finite")
        return vector

    def _names(self) -> list[str]:
        """x[0], x[1, 2] for one array; w[0], b for a dict of them."""
        keys = sorted(self.tree) if isinstance(self.tree, dict) and len(self.tree) == len(self.leaves) else None
        names = []
        for i, shape in enumerate(self.shapes):
            stem = str(keys[i]) if keys else ("x" if len(self.leaves) == 1 else f"x{i}")
            names += [stem + (str(list(index)) if index else "") for index in np.ndindex(*shape)]
        return names

    def at(self, vector: Vector) -> Any:
        """The point in its own form."""
        parts = np.split(np.asarray(vector, float), np.cumsum(self.sizes)[:-1])
        triples = zip(parts, self.shapes, self.leaves, strict=True)
        return self.rebuild([_as_before(part.reshape(shape), leaf) for part, shape, leaf in triples])

    def __call__(self, vector: Vector) -> float:
        with double_precision(), np.errstate(all="ignore"):
            value = _plain(self.f(self.at(vector)))
        if np.size(value) != 1:
            shape = tuple(np.shape(value))
            raise DescendError(f"the function returned shape {shape}; a gradient belongs to one number: take its sum or mean")
        return float(np.asarray(value).reshape(()))

    def gradient(self, grad: Any) -> tuple[Any, list[Any]]:
        """The author's gradient at the point, and its leaves as NumPy arrays."""
        with double_precision():
            given = grad(self.at(self.point)) if callable(grad) else grad
            bare = isinstance(given, list | tuple) and all(np.size(_plain(v)) == 1 for v in given) and len(self.leaves) == 1
            leaves = [np.asarray([float(_plain(v)) for v in given])] if bare else [_plain(v) for v in flatten(given)[0]]
        return given, leaves

    def forward(self, i: int, h: float) -> float:
        """(f(x + h) − f(x)) / h in coordinate i; a negative h gives the backward one, an h too small to move x NaN."""
        moved = self.point.copy()
        moved[i] += h
        return _quotient(self(moved) - self(self.point), float(moved[i] - self.point[i]))

    def central(self, i: int, h: float) -> float:
        """(f(x + h) − f(x − h)) / 2h in coordinate i."""
        above, below = self.point.copy(), self.point.copy()
        above[i] += h
        below[i] -= h
        return _quotient(self(above) - self(below), float(above[i] - below[i]))


def _quotient(rise: float, run: float) -> float:
    return rise / run if run else float("nan")


def _plain(value: Any) -> Any:
    """A torch tensor as NumPy array; everything else unchanged."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _as_before(part: Vector, leaf: Any) -> Any:
    home = type(leaf).__module__.partition(".")[0]
    if home == "torch":
        import torch

        return torch.tensor(part, dtype=torch.float64, device=leaf.device, requires_grad=leaf.requires_grad)
    if home in ("jax", "jaxlib"):
        import jax.numpy as jnp

        return jnp.asarray(part)
    return float(part) if isinstance(leaf, int | float) else part


@dataclass(frozen=True)
class DifferenceRow:
    """Slopes at one step size: shape (n,) each, and their largest errors relative to the gradient's size."""

    h: float
    forward: Vector
    central: Vector
    forward_error: float
    central_error: float


@dataclass(frozen=True)
class DifferenceTable:
    """Finite differences against the step size h."""

    names: tuple[str, ...]
    gradient: Vector
    rows: tuple[DifferenceRow, ...]
    #: The function's value at the point, by which its rounding is judged.
    value: float = 0.0

    def best(self) -> DifferenceRow:
        """The row whose central difference is nearest."""
        return min(self.rows, key=lambda row: (not np.isfinite(row.central_error), row.central_error))

    def nearest(self) -> tuple[str, float, float]:
        """The difference nearest to the gradient: "central" or "forward", its h and its error; central where they are equal."""
        errors = [(row.central_error, 0, "central", row.h) for row in self.rows]
        errors += [(row.forward_error, 1, "forward", row.h) for row in self.rows]
        error, _, kind, h = min(errors, key=lambda e: (not np.isfinite(e[0]), *e[:2]))
        return kind, h, error

    def jumps(self) -> tuple[tuple[str, float], ...]:
        """Coordinates in which the function jumps at the point, with the height: a slope from one side grows like 1/h."""
        fine = [row for row in self.rows if row.h <= 1e-3]
        found = []
        for i, name in enumerate(self.names):
            rises = [2 * float(row.central[i]) * row.h for row in fine]  # f(x + h) − f(x − h): a jump's stays as h shrinks
            if len(rises) < 2 or not np.all(np.isfinite(rises)) or rises[-1] == 0:
                continue
            smooth = 100 * fine[-1].h * max(1.0, float(np.linalg.norm(self.gradient)))
            rounding = 64 * float(np.finfo(float).eps) * abs(self.value)
            level = max(abs(r - rises[-1]) for r in rises[-3:]) <= 1e-2 * abs(rises[-1])
            if level and abs(rises[-1]) > max(smooth, rounding):
                found.append((name, rises[-1]))
        return tuple(found)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The table; beyond three coordinates only its errors."""
        shown = self.names if len(self.names) <= 3 else ()
        labels = [f"∂f/∂{name}" for name in shown] if len(self.names) > 1 else ["df/d" + self.names[0]]
        first = [""] + [cell for label in labels if shown for cell in (label, "")] + ["relative error", ""]
        second = ["h"] + ["forward", "central"] * (len(shown) + 1)
        cells = [first, second]
        for row in self.rows:
            values = [number(v) for i in range(len(shown)) for v in (row.forward[i], row.central[i])]
            cells.append([f"{row.h:g}", *values, size(row.forward_error), size(row.central_error)])
        return columns(cells, "<" + ">" * (len(second) - 1))


def difference_table(
    f: Callable[[Any], Any], grad: Any, x: Any, hs: Sequence[float] = STEPS, names: Sequence[str] = ()
) -> DifferenceTable:
    """Forward and central differences of f at x for each step size, beside the gradient.

    `grad` is a function of x or the gradient itself. Errors are relative to the gradient's norm. `names` name the coordinates.

    >>> table = difference_table(lambda p: p[0] ** 2 + 3 * p[1] ** 2, [8.0, 18.0], [4.0, 3.0], hs=[1e-4])
    >>> [round(float(v), 4) for v in table.rows[0].forward], [round(float(v), 4) for v in table.rows[0].central]
    ([8.0001, 18.0003], [8.0, 18.0])
    """
    flat = Flat(f, x)
    _, leaves = flat.gradient(grad)
    exact = np.concatenate([np.asarray(leaf, float).ravel() for leaf in leaves])
    if exact.shape != flat.point.shape:
        raise DescendError(f"the gradient has {exact.size} numbers, the point {flat.point.size}")
    scale = float(np.linalg.norm(exact)) or 1.0
    rows = []
    for h in hs:
        if not (np.isfinite(h) and h > 0):
            raise DescendError(f"a step size h is a positive number; got {h!r}")
        forward = np.array([flat.forward(i, h) for i in range(exact.size)])
        central = np.array([flat.central(i, h) for i in range(exact.size)])
        errors = [float(np.max(np.abs(d - exact))) / scale for d in (forward, central)]
        rows.append(DifferenceRow(float(h), forward, central, *errors))
    return DifferenceTable(tuple(names) or tuple(flat.names), exact, tuple(rows), flat(flat.point))
