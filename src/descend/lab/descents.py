"""From what a page says to what the library runs: an objective, a start, optimizers, within bounds.

A descent as a page states it (the same words stand in its link, and on the command line):

    {"objective": "x**2 + 3*y**2", "start": [4, 3], "steps": 60, "seed": 0, "noise": 0, "tol_grad": null, "tol_loss": null,
     "optimizers": [{"name": "sgd", "values": {"lr": 0.4}}, {"name": "adam", "values": {"lr": "cosine(0.1, 60)"}}]}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import descend.optimizers  # noqa: F401  (fills the registry)
from descend.errors import DescendError
from descend.lab.bounds import bounded
from descend.loop import descend as run
from descend.objectives import SURFACES, Objective, noisy, resolve
from descend.objectives.surfaces import surface_key
from descend.rules import Optimizer, optimizer_named
from descend.schedules import parse
from descend.trace import Trace

__all__ = ["Asked", "asked", "box_of", "finite", "objective_of", "optimizer_of", "whole"]

LONGEST_EXPRESSION = 400
MOST_VARIABLES = 8
MOST_STEPS = 5000
MOST_OPTIMIZERS = 8
#: Beyond this a descent is nothing but its noise, and no picture holds both.
MOST_NOISE = 1e6


@dataclass(frozen=True)
class Asked:
    """A descent, or several beside each other, as the library takes them."""

    goal: Objective
    start: tuple[float, ...]
    optimizers: tuple[Optimizer, ...]
    steps: int
    seed: int
    noise: float
    tol_grad: float | None
    tol_loss: float | None

    def trace(self, k: int, steps: int | None = None) -> Trace:
        """Run the k-th optimizer, for `steps` steps at most."""
        budget = self.steps if steps is None else min(steps, self.steps)
        optimizer, start = self.optimizers[k], list(self.start)
        return run(self.seen, start, optimizer, steps=budget, seed=self.seed, tol_grad=self.tol_grad, tol_loss=self.tol_loss)

    @property
    def seen(self) -> Objective:
        """The objective as the optimizers see it, through the noise."""
        return _seen(self.goal, self.noise)


@lru_cache(maxsize=64)
def _seen(goal: Objective, noise: float) -> Objective:
    return noisy(goal, noise)


def asked(params: Mapping[str, Any]) -> Asked:
    """The descent these params state, or a sentence about what is wrong with them."""
    goal = objective_of(params.get("objective"))
    start = _start(params.get("start"), goal)
    optimizers = params.get("optimizers") or [{"name": "sgd"}]
    if not isinstance(optimizers, list) or len(optimizers) > MOST_OPTIMIZERS:
        raise DescendError(f"a page runs a list of up to {MOST_OPTIMIZERS} optimizers")
    steps = whole(params.get("steps", 100), "steps")
    if not 1 <= steps <= MOST_STEPS:
        raise DescendError(f"a page makes between 1 and {MOST_STEPS} steps; got {steps}")
    noise = finite(params.get("noise", 0.0), "noise")
    if noise < 0:
        raise DescendError(f"noise is a standard deviation, at least 0; got {noise:g}")
    if noise > MOST_NOISE:
        raise DescendError(f"noise above {MOST_NOISE:g} leaves nothing of a descent to be seen; got {noise:g}")
    return Asked(
        goal,
        start,
        tuple(optimizer_of(o) for o in optimizers),
        steps,
        _seed(params.get("seed", 0)),
        noise,
        *(_tolerance(params.get(name), name) for name in ("tol_grad", "tol_loss")),
    )


def objective_of(text: Any) -> Objective:
    """An expression or a named surface: nothing that lies in a file, so that nothing is ever executed for a page."""
    if not isinstance(text, str) or not text.strip():
        raise DescendError("an objective is an expression, such as x**2 + 3*y**2, or a surface's name")
    return _objective(text)


@lru_cache(maxsize=64)
def _objective(text: str) -> Objective:
    if len(text) > LONGEST_EXPRESSION:
        raise DescendError(f"an expression has at most {LONGEST_EXPRESSION} characters here; this one has {len(text)}")
    if surface_key(text) not in SURFACES and ".py" in text:
        raise DescendError("a page takes expressions and named surfaces; functions in files are for the command line")
    goal = bounded(resolve(text))
    if not 1 <= len(goal.variables) <= MOST_VARIABLES:
        raise DescendError(f"a page draws objectives of 1 to {MOST_VARIABLES} variables; this one has {len(goal.variables)}")
    return goal


def optimizer_of(told: Any) -> Optimizer:
    """`{"name": "adam", "values": {"lr": 0.1}}`, a schedule being text: `cosine(0.1, 100)`."""
    if not isinstance(told, Mapping) or not isinstance(told.get("name"), str):
        raise DescendError('an optimizer is an object such as {"name": "adam", "values": {"lr": 0.1}}')
    values = told.get("values") or {}
    if not isinstance(values, Mapping):
        raise DescendError("an optimizer's values are an object: hyperparameter to value")
    if "mask" in values:
        raise DescendError("a mask belongs to models; a page's objectives have one array")
    read = {str(k): parse(v) if isinstance(v, str) and "(" in v else v for k, v in values.items()}
    return optimizer_named(told["name"])(**read)


def _start(told: Any, goal: Objective) -> tuple[float, ...]:
    n = len(goal.variables)
    if told is None:
        told = goal.start if goal.start is not None else [1.0] * n
    if not isinstance(told, Sequence) or isinstance(told, str) or len(told) != n:
        raise DescendError(f"a start has one number for each of {', '.join(goal.variables)}")
    return tuple(finite(v, f"the start's {name}") for v, name in zip(told, goal.variables, strict=True))


def box_of(told: Any, sides: int) -> list[tuple[float, float]]:
    """The region a page names: lowest and highest for each of `sides` axes."""
    if not isinstance(told, list) or len(told) != sides or not all(isinstance(s, list) and len(s) == 2 for s in told):
        raise DescendError(f"a box is a list of {sides} pairs, [lowest, highest] for each axis")
    box = [(finite(low, "the box's lower end"), finite(high, "the box's upper end")) for low, high in told]
    for low, high in box:
        if not 1e-12 * max(abs(low), abs(high), 1e-290) < high - low < 1e150:
            raise DescendError(f"a box's upper end lies above its lower end; got {low:g} and {high:g}")
    return box


def whole(value: Any, what: str) -> int:
    """A whole number, as JSON has it."""
    number = finite(value, what)
    if number != int(number):
        raise DescendError(f"{what} must be a whole number; got {number:g}")
    return int(number)


def _tolerance(value: Any, what: str) -> float | None:
    if value is None:
        return None
    tolerance = finite(value, what)
    if tolerance < 0:
        raise DescendError(f"{what} must be at least 0; got {tolerance:g}")
    return tolerance


def _seed(value: Any) -> int:
    seed = whole(value, "seed")
    if not 0 <= seed < 2**32:
        raise DescendError(f"a seed is a whole number from 0 to 4294967295; got {seed}")
    return seed


def finite(value: Any, what: str) -> float:
    """A finite number, as JSON has it."""
    try:
        good = not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:  # a whole number beyond float64
        good = False
    if not good:
        raise DescendError(f"{what} must be a finite number; got {str(value)[:40]!r}")
    return float(np.float64(value))
