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
from descend.objectives import SURFACES, Objective, resolve
from descend.objectives.surfaces import surface_key
from descend.rules import Optimizer, optimizer_named
from descend.schedules import parse
from descend.trace import Trace

__all__ = ["Asked", "asked", "objective_of", "optimizer_of"]

LONGEST_EXPRESSION = 400
MOST_VARIABLES = 8
MOST_STEPS = 5000
MOST_OPTIMIZERS = 8


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
        goal = noisy(self.goal, self.noise) if self.noise else self.goal
        optimizer, start = self.optimizers[k], list(self.start)
        return run(goal, start, optimizer, steps=budget, seed=self.seed, tol_grad=self.tol_grad, tol_loss=self.tol_loss)


def noisy(goal: Objective, noise: float) -> Objective:
    raise DescendError("noise is not there yet")


def asked(params: Mapping[str, Any]) -> Asked:
    """The descent these params state, or a sentence about what is wrong with them."""
    goal = objective_of(params.get("objective"))
    start = _start(params.get("start"), goal)
    optimizers = params.get("optimizers") or [{"name": "sgd"}]
    if not isinstance(optimizers, list) or len(optimizers) > MOST_OPTIMIZERS:
        raise DescendError(f"a page runs a list of up to {MOST_OPTIMIZERS} optimizers")
    steps = int(_number(params.get("steps", 100), "steps"))
    if not 1 <= steps <= MOST_STEPS:
        raise DescendError(f"a page makes between 1 and {MOST_STEPS} steps; got {steps}")
    noise = _number(params.get("noise", 0.0), "noise")
    if noise < 0:
        raise DescendError(f"noise is a standard deviation, at least 0; got {noise:g}")
    return Asked(
        goal,
        start,
        tuple(optimizer_of(o) for o in optimizers),
        steps,
        int(_number(params.get("seed", 0), "seed")) % 2**31,
        noise,
        *(None if params.get(t) is None else _number(params[t], t) for t in ("tol_grad", "tol_loss")),
    )


@lru_cache(maxsize=64)
def objective_of(text: Any) -> Objective:
    """An expression or a named surface: nothing that lies in a file, so that nothing is ever executed for a page."""
    if not isinstance(text, str) or not text.strip():
        raise DescendError("an objective is an expression, such as x**2 + 3*y**2, or a surface's name")
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
    read = {str(k): parse(v) if isinstance(v, str) and "(" in v else v for k, v in values.items()}
    return optimizer_named(told["name"])(**read)


def _start(told: Any, goal: Objective) -> tuple[float, ...]:
    n = len(goal.variables)
    if told is None:
        told = goal.start if goal.start is not None else [1.0] * n
    if not isinstance(told, Sequence) or isinstance(told, str) or len(told) != n:
        raise DescendError(f"a start has one number for each of {', '.join(goal.variables)}")
    return tuple(_number(v, f"the start's {name}") for v, name in zip(told, goal.variables, strict=True))


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DescendError(f"{what} must be a finite number; got {str(value)[:40]!r}")
    return float(np.float64(value))
