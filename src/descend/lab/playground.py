"""The playground's asks: what can be run, the ground it runs on, the runs, and why they went as they did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.equations import latex
from descend.figures.data import Box, number
from descend.figures.field import evaluator, field_on
from descend.lab.descents import Asked, asked, objective_of
from descend.lab.desk import Talk
from descend.lab.frames import Frame
from descend.objectives import SURFACES
from descend.rules import OPTIMIZERS
from descend.stability import curvature_at, lr_limit
from descend.trace import Trace

__all__ = ["catalogue", "explain", "ground", "run", "warm"]

GRID = 128
FIRST = {"objective": "x**2 + 3*y**2", "start": [4, 3], "steps": 40, "optimizers": [{"name": "sgd", "values": {"lr": 0.3}}]}


def catalogue(_params: Mapping[str, Any], _talk: Talk) -> Frame:
    """Everything a page's controls are made from: optimizers with their hyperparameters and equations, surfaces."""
    optimizers = [
        {
            "name": rule.name,
            "title": rule.title or rule.name,
            "summary": rule.summary,
            "kind": rule.kind,
            "usual_lr": rule.usual_lr,
            "equations": latex(rule),
            "hyperparameters": [
                {
                    "name": h.name,
                    "default": h.default,
                    "structural": h.structural,
                    "choices": list(h.choices),
                    "bounds": None if h.bounds is None else list(h.bounds),
                    "meaning": h.meaning,
                }
                for h in rule.hyperparameters.values()
            ],
        }
        for rule in OPTIMIZERS.values()
        if rule.ndim is None
    ]
    surfaces = []
    for surface in SURFACES.values():
        goal = surface.objective()
        surfaces.append({"name": goal.name, "text": goal.text, "note": goal.note, "start": goal.start, "domain": goal.domain})
    return Frame({"optimizers": optimizers, "surfaces": surfaces})


def ground(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The objective on a grid over a box, its contour levels, the downhill arrows, its minima."""
    goal = objective_of(params.get("objective"))
    (x0, x1), (y0, y1) = params["box"]
    values = evaluator(goal, len(goal.variables))
    assert values is not None
    field = field_on(values, Box(np.array([x0, y0], float), np.array([x1, y1], float)), size=GRID, minimum=goal.minimum)
    arrays: dict[str, NDArray[Any]] = {
        "values": field.values.astype(np.float32),
        "levels": np.asarray(field.levels, np.float64),
        "arrows": field.arrows.astype(np.float32),
        "downhill": field.downhill.astype(np.float32),
    }
    known = {"text": goal.text, "variables": goal.variables, "minima": goal.minima, "minimum": goal.minimum}
    return Frame({**known, "box": [[x0, x1], [y0, y1]]}, arrays)


def run(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """Run every optimizer from the start. Points (n, d), losses (n,) and gradient norms (n,), in float64, of each."""
    told = asked(params)
    traces = [told.trace(k) for k in range(len(told.optimizers))]
    arrays: dict[str, NDArray[Any]] = {}
    for k, trace in enumerate(traces):
        arrays[f"points{k}"] = np.asarray(trace.points, np.float64)
        arrays[f"loss{k}"] = np.asarray(trace.loss, np.float64)
        arrays[f"grad_norm{k}"] = np.asarray(trace.grad_norm, np.float64)
    goal = told.goal
    return Frame(
        {
            "text": goal.text,
            "variables": goal.variables,
            "minimum": goal.minimum,
            "minima": goal.minima,
            "start": told.start,
            "runs": [_summary(told, k, trace) for k, trace in enumerate(traces)],
        },
        arrays,
    )


def _summary(told: Asked, k: int, trace: Trace) -> dict[str, Any]:
    assert trace.outcome is not None
    optimizer = told.optimizers[k]
    return {
        "name": optimizer.name,
        "values": trace.config["hyperparameters"],
        "outcome": trace.outcome.kind,
        "message": trace.outcome.message,
        "steps": trace.steps,
        "final": number(float(trace.loss[-1]), 4),
        "sign_changes": trace.sign_changes(),
    }


def explain(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The predicted limit of each optimizer at the start. Slower than `run`; asked beside it."""
    told = asked(params)
    there = curvature_at(told.goal, np.array(told.start))
    limits = []
    for optimizer in told.optimizers:
        known = there is not None and optimizer.rule.kind == "linear" and "lr" in optimizer.hyperparameters
        limits.append(lr_limit(optimizer, there.largest) if known and there is not None and there.largest > 0 else None)
    return Frame({"limits": limits, "sharpness": None if there is None else there.largest})


def warm() -> None:
    """Compile what the first page will ask."""
    told = asked(FIRST)
    told.trace(0)
