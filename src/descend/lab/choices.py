"""What the maps page offers: maps to begin with, objectives, and a sensible range for every axis there can be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from descend.figures.data import view_box
from descend.figures.field import evaluator, stationary_near
from descend.hyperparameters import Hyperparameter
from descend.objectives import NETWORKS, SURFACES, Objective
from descend.rules import Optimizer
from descend.schedules import Schedule
from descend.stability import curvature_at, lr_limit

__all__ = ["PRESETS", "axes_of", "box_of", "objectives"]


def _axis(name: str, low: float, high: float, scale: str = "linear") -> dict[str, Any]:
    return {"name": name, "low": low, "high": high, "scale": scale}


def _map(name: str, title: str, sentence: str, at: tuple[float, float], **state: Any) -> dict[str, Any]:
    return {"name": name, "title": title, "sentence": sentence, "state": {"size": 512, "start": None, "at": list(at), **state}}


#: Maps to begin with; the first is shown to who has chosen nothing.
PRESETS: list[dict[str, Any]] = [
    _map(
        "momentum",
        "Momentum",
        "Every pixel is a complete descent on x² + 3y². Without momentum (bottom edge) the largest rate is 2/6; with it "
        "the limit is 2(1 + momentum)/6, the slanted edge. The fastest runs glow along a valley where ripples just begin.",
        (0.42, 0.45),
        objective="ellipse",
        optimizer={"name": "momentum", "values": {}},
        steps=200,
        by="rate",
        x=_axis("lr", 0.005, 0.7),
        y=_axis("momentum", 0.0, 0.99),
    ),
    _map(
        "adam-beta1",
        "Adam on Rosenbrock",
        "Adam has no edge to fall off. To the left the rate is too small for 500 steps; to the right only a long memory "
        "(top) keeps it in the curved valley, and below it wanders: neighbouring pixels end far apart.",
        (0.3, 0.93),
        objective="rosenbrock",
        optimizer={"name": "adam", "values": {}},
        steps=500,
        by="loss",
        x=_axis("lr", 1e-4, 1.0, "log"),
        y=_axis("beta1", 0.0, 0.99),
    ),
    _map(
        "adam-beta2",
        "Adam, beta2",
        "The same valley, with the memory of squares along the side: a long one forgives a large rate.",
        (0.2, 0.99),
        objective="rosenbrock",
        optimizer={"name": "adam", "values": {}},
        steps=500,
        by="loss",
        x=_axis("lr", 1e-4, 1.0, "log"),
        y=_axis("beta2", 0.0, 0.999),
    ),
    _map(
        "fractal",
        "Edge of trainability",
        "A network of two layers with a rate for each. Between learning and divergence runs a boundary that shows new "
        "detail at every zoom: drag a rectangle over it.",
        (60.0, 60.0),
        objective="trainability",
        optimizer={"name": "sgd", "values": {}},
        steps=100,
        by="loss",
        x=_axis("lr_w0", 1.0, 1000.0, "log"),
        y=_axis("lr_w1", 1.0, 1000.0, "log"),
        size=96,
    ),
    _map(
        "basins",
        "Four basins",
        "Each pixel is a start point of momentum on Himmelblau's function, coloured by the minimum it comes to rest at, "
        "bright where it gets there soon. With momentum the borders between them fold without end.",
        (-0.6, 0.9),
        objective="himmelblau",
        optimizer={"name": "momentum", "values": {"lr": 0.01, "momentum": 0.9}},
        steps=300,
        by="basin",
        x=_axis("x", -5.0, 5.0),
        y=_axis("y", -5.0, 5.0),
    ),
    _map(
        "lr-start",
        "Rate × start",
        "Plain gradient descent on Himmelblau's function from (x, 0): at small rates the start alone decides which "
        "minimum is found, at large ones start and rate together, and chaotically.",
        (0.012, -1.0),
        objective="himmelblau",
        optimizer={"name": "sgd", "values": {}},
        steps=300,
        by="basin",
        x=_axis("lr", 0.001, 0.035),
        y=_axis("x", -5.0, 5.0),
    ),
    _map(
        "rmsprop",
        "RMSProp in a ravine",
        "0.1x² + 2y², twenty times steeper across than along. RMSProp has no edge here: the rate decides how near"
        " to the floor it hovers when the steps run out.",
        (0.1, 0.9),
        objective="ravine",
        optimizer={"name": "rmsprop", "values": {}},
        steps=200,
        by="loss",
        x=_axis("lr", 1e-3, 3.0, "log"),
        y=_axis("rho", 0.0, 0.995),
    ),
]


def objectives() -> list[dict[str, Any]]:
    """Named objectives, with what each teaches."""
    surfaces = [
        {"name": s.name, "title": s.title, "text": s.objective().text, "note": s.note, "variables": s.objective().variables}
        for s in SURFACES.values()
    ]
    nets = [{"name": n, "title": "Two-layer network", "text": n, "note": "", "variables": ()} for n in NETWORKS]
    return [*surfaces, *nets]


# -- axes


def axes_of(goal: Objective, optimizer: Optimizer) -> list[dict[str, Any]]:
    """Everything that can be an axis here, with a range to begin with and the bounds no zoom may leave."""
    found = []
    knobs = [h for h in optimizer.rule.hyperparameters.values() if not h.structural]
    for knob in knobs:
        low, high, scale = _range(knob, goal, optimizer)
        found.append({**_axis(knob.name, low, high, scale), "kind": "hyper", "meaning": knob.meaning, **_bounds(knob)})
        value = optimizer.hyperparameters[knob.name]
        found[-1]["value"] = repr(value) if isinstance(value, Schedule) else value
    if isinstance(goal.start, Mapping):
        for knob in knobs[:1]:
            for leaf in goal.start:
                meaning = f"{knob.meaning}, of {leaf} alone"
                found.append(
                    {**_axis(f"{knob.name}_{leaf}", 1.0, 1000.0, "log"), "kind": "leaf", "meaning": meaning, **_bounds(knob)}
                )
    for k, name in enumerate(goal.variables):
        low, high = _extent(goal, k)
        told: dict[str, Any] = {
            "kind": "start",
            "meaning": f"start coordinate {name}",
            "min": None,
            "max": None,
            "open": [False, False],
        }
        found.append({**_axis(name, low, high), **told})
    return found


def _bounds(knob: Hyperparameter) -> dict[str, Any]:
    low, high, low_too, high_too = knob.bounds or (-math.inf, math.inf, False, False)
    finite = [None if math.isinf(v) else v for v in (low, high)]
    return {"min": finite[0], "max": finite[1], "open": [not low_too, not high_too]}


def _range(knob: Hyperparameter, goal: Objective, optimizer: Optimizer) -> tuple[float, float, str]:
    """Where a hyperparameter is worth looking at."""
    default = float(knob.default)
    low, high, low_too, _ = knob.bounds or (-math.inf, math.inf, False, False)
    if knob.name == "lr":
        return _rates(goal, optimizer)
    if (low, high) == (0.0, 1.0):
        return (0.9, 0.9999, "linear") if default > 0.99 else (0.0 if low_too else 0.01, 0.99, "linear")
    if low == 0.0:
        return (default / 100, default * 100, "log") if default > 0 else (1e-4, 1.0, "log")
    if math.isfinite(low):
        return low if low_too else low + 0.01, max(2 * default, low + 1), "linear"
    return (default - abs(default) - 1, min(high, default + abs(default) + 1), "linear")


def _rates(goal: Objective, optimizer: Optimizer) -> tuple[float, float, str]:
    """Three decades below the predicted limit and a little beyond it, where there is one."""
    if optimizer.rule.kind == "linear" and goal.variables and goal.start is not None:
        there = curvature_at(goal, np.asarray(goal.start, np.float64))
        if there is not None and float(np.abs(there.eigenvalues).max()) > 0:
            most = lr_limit(optimizer, float(np.abs(there.eigenvalues).max()))
            if most is not None and math.isfinite(most):
                high = float(f"{3 * most:.2g}")
                return float(f"{high / 1000:.2g}"), high, "log"
    usual = float(optimizer.rule.hyperparameters["lr"].default)
    return (1e-3, 10.0, "log") if usual >= 1 else (1e-4, 1.0, "log")


def _extent(goal: Objective, k: int) -> tuple[float, float]:
    if goal.domain is not None:
        return goal.domain[k]
    reach = 5.0 if goal.start is None else max(5.0, 1.5 * abs(float(goal.start[k])))
    return -reach, reach


# -- the ground of a run


def box_of(goal: Objective, start: Any) -> list[list[float]] | None:
    """The region to draw a path in: the objective's domain, or around the start, the minimum, and what lies across it."""
    if len(goal.variables) != 2:
        return None
    told = start if isinstance(start, list) and len(start) == 2 else goal.start if goal.start is not None else (1.0, 1.0)
    try:
        first = np.array([float(v) for v in told])
    except (TypeError, ValueError, OverflowError):
        first = np.array([1.0, 1.0])
    if not np.isfinite(first).all():
        return None
    minima = [np.asarray(m, np.float64) for m in goal.minima]
    if not minima:
        values = evaluator(goal, 2)
        found = None if values is None else stationary_near(values, first, max(1.0, float(np.abs(first).max())))
        minima = [] if found is None else [found.point]
    across = [2 * m - first for m in minima] if goal.domain is None else []
    box = view_box([first[None]], [*minima, *across], domain=goal.domain, aspect=1.0)
    return [[float(box.low[i]), float(box.high[i])] for i in (0, 1)]
