"""The playground's asks: what can be run, the ground it runs on, the runs, and why they went as they did."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.equations import latex
from descend.errors import DescendError
from descend.figures.data import Box, loss_view, number
from descend.figures.field import evaluator, field_on
from descend.figures.scene import Scene, scene_of
from descend.lab.descents import Asked, asked, box_of, finite, objective_of, whole
from descend.lab.desk import Talk
from descend.lab.frames import Frame, single
from descend.lab.presets import FIRST, PRESETS
from descend.objectives import SURFACES
from descend.rules import COMMON, OPTIMIZERS, Hyperparameter, Optimizer, Rule
from descend.schedules import SCHEDULES
from descend.stability import curvature_at, lr_limit
from descend.trace import Trace

if TYPE_CHECKING:
    from descend.doctor import Diagnosis

__all__ = ["catalogue", "explain", "ground", "limits", "point", "run", "warm"]

#: Points along each side of the ground, and along the curve of an objective of one variable; how few a moving one may have.
GRID, LINE, COARSEST = 140, 600, 16
MOST_LEVELS = 40
#: A ground that rises by less than this part of its height needs float64, or its contours become stairs.
FLAT = 1e-3

Arrays = dict[str, NDArray[Any]]


# -- what there is --------------------------------------------------------------------------------------------------------


def catalogue(_params: Mapping[str, Any], _talk: Talk) -> Frame:
    """Everything a page's controls are made from: optimizers with their hyperparameters and equations, surfaces, presets."""
    return Frame(_catalogue())


@lru_cache(maxsize=1)
def _catalogue() -> dict[str, Any]:
    return {
        "optimizers": [_rule(rule) for rule in OPTIMIZERS.values() if rule.ndim is None],
        "common": [_knob(h) for h in COMMON.values()],
        "schedules": [f"{name}{inspect.signature(make)}".split(" ->")[0] for name, make in SCHEDULES.items()],
        "surfaces": [
            {
                "name": surface.name,
                "title": surface.title,
                "text": surface.objective().text,
                "note": surface.note,
                "start": surface.start,
                "domain": surface.domain,
            }
            for surface in SURFACES.values()
        ],
        "presets": [preset.to_dict() for preset in PRESETS],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "title": rule.title or rule.name,
        "summary": rule.summary,
        "fixes": rule.fixes,
        "avoid": rule.avoid,
        "kind": rule.kind,
        "usual_lr": rule.usual_lr,
        "equations": latex(rule),
        "hyperparameters": [_knob(h) for h in rule.hyperparameters.values()],
    }


def _knob(h: Hyperparameter) -> dict[str, Any]:
    return {
        "name": h.name,
        "default": h.default,
        "structural": h.structural,
        "choices": list(h.choices),
        "bounds": None if h.bounds is None else list(h.bounds),
        "meaning": h.meaning,
    }


# -- the ground -----------------------------------------------------------------------------------------------------------


def ground(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """What the descents of these params run on, over a box of theirs or the one that shows them well.

    Two variables: values on a grid, contour levels, downhill arrows. One: the curve. More: neither, and no box. While a view
    moves, fewer points along each side are asked for (`grid`), and that the levels stay (`levels`).
    """
    told = asked(params)
    scene = scene_of([told.trace(k) for k in range(len(told.optimizers))], told.goal)
    known = {
        "text": told.goal.text,
        "variables": told.goal.variables,
        "dimensions": scene.dimensions,
        "level": {"points": scene.level_points().tolist(), "word": scene.level_word} if scene.dimensions else None,
        "minimum": scene.minimum,
        "note": told.goal.note,
    }
    if scene.values is None:
        return Frame({**known, "box": None})
    given = params.get("box")
    sides = 2 if scene.dimensions == 2 else 1
    box = scene.box(1.0 if sides == 2 else None)
    if given is not None:
        low, high = zip(*box_of(given, 2)[:sides], strict=True)
        box = Box(np.array(low), np.array(high))
    if sides == 1:
        data, arrays = _curve(scene, box)
    else:
        grid = whole(params.get("grid", GRID), "grid")
        if not COARSEST <= grid <= GRID:
            raise DescendError(f"a ground has {COARSEST} to {GRID} points along each side; got {grid}")
        data, arrays = _plane(scene, box, grid, _levels(params.get("levels")))
    return Frame({**known, **data}, arrays)


def _levels(told: Any) -> NDArray[np.float64] | None:
    """Levels that a page wants kept, or None."""
    if told is None:
        return None
    if not isinstance(told, list) or len(told) > MOST_LEVELS:
        raise DescendError(f"levels are a list of up to {MOST_LEVELS} numbers")
    return np.unique(np.array([finite(v, "a level") for v in told], np.float64))


def _plane(scene: Scene, box: Box, grid: int, levels: NDArray[np.float64] | None) -> tuple[dict[str, Any], Arrays]:
    assert scene.values is not None
    points = scene.level_points()
    held = bool(((box.low <= points) & (points <= box.high)).all(axis=1).any()) if len(points) else False
    field = field_on(scene.values, box, size=grid, minimum=scene.minimum if held else None)
    shown = field.levels if levels is None else levels
    sides = [[float(low), float(high)] for low, high in zip(box.low, box.high, strict=True)]
    arrays: Arrays = {
        "values": _told_apart(field.values),
        "levels": np.asarray(shown, np.float64),
        "arrows": np.asarray(field.arrows, np.float64),
        "downhill": single(field.downhill),
    }
    return {"box": sides, "levels": _apart(shown)}, arrays


def _told_apart(values: NDArray[np.float64]) -> NDArray[Any]:
    """The values in the narrowest type that still tells neighbours apart."""
    known = values[np.isfinite(values)]
    flat = known.size > 0 and np.ptp(known) < FLAT * np.abs(known).max()
    return values if flat else single(values)


def _apart(levels: NDArray[np.float64]) -> list[str]:
    """The levels as text, each with the digits that tell it from its neighbours."""
    for digits in range(3, 13):
        words = [number(v, digits) for v in levels]
        if len(set(words)) == len(words):
            return words
    return words if len(levels) else []


def _curve(scene: Scene, box: Box) -> tuple[dict[str, Any], Arrays]:
    """The curve of an objective of one variable, and a frame about it that no divergence can spoil."""
    assert scene.values is not None
    x = np.linspace(box.low[0], box.high[0], LINE)
    y = scene.values(x[:, None])
    known = np.isfinite(y)
    low, high = (float(y[known].min()), float(np.quantile(y[known], 0.995))) if known.any() else (0.0, 1.0)
    room = 0.07 * (high - low) or 0.1 * max(abs(high), 1.0)
    frame = [[float(x[0]), float(x[-1])], [low - 1.7 * room, high + room]]
    return {"box": frame}, {"curve": np.stack([x, y], axis=1)}


def point(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The objective's value at one point."""
    goal = objective_of(params.get("objective"))
    place = [pair[0] for pair in box_of([[v, 1e100] for v in _list(params.get("point"))], len(goal.variables))]
    values = evaluator(goal, len(goal.variables))
    value = math.nan if values is None else float(values(np.array([place]))[0])
    return Frame({"point": place, "value": value if math.isfinite(value) else None, "text": number(value, 4)})


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise DescendError("a point is a list of numbers")
    return value


# -- the runs -------------------------------------------------------------------------------------------------------------


def run(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """Run every optimizer from the start. Points (n, d), losses (n,) and gradient norms (n,), in float64, of each.

    `brief`: nothing but what is drawn; how each ended is not worked out.
    """
    told, brief = asked(params), params.get("brief") is True
    traces = [told.trace(k) for k in range(len(told.optimizers))]
    arrays: Arrays = {}
    for k, trace in enumerate(traces):
        arrays[f"points{k}"] = np.asarray(trace.points, np.float64)
        arrays[f"loss{k}"] = np.asarray(trace.loss, np.float64)
        arrays[f"grad_norm{k}"] = np.asarray(trace.grad_norm, np.float64)
    view = loss_view(traces, told.goal.minimum)
    return Frame(
        {
            "text": told.goal.text,
            "variables": told.goal.variables,
            "start": told.start,
            "steps": told.steps,
            "runs": [{"steps": trace.steps} if brief else _summary(told, k, trace) for k, trace in enumerate(traces)],
            "loss": {
                "scale": view.scale,
                "x": view.xlim,
                "y": view.ylim,
                "offset": view.offset,
                "exits": [curve.exit for curve in view.curves],
            },
        },
        arrays,
    )


def _summary(told: Asked, k: int, trace: Trace) -> dict[str, Any]:
    assert trace.outcome is not None
    last, distance = float(trace.loss[-1]), _distance(told, trace)
    return {
        "name": told.optimizers[k].name,
        "values": trace.config["hyperparameters"],
        "lr_predicted": trace.config["lr_predicted"],
        "outcome": trace.outcome.kind,
        "message": trace.outcome.message,
        "steps": trace.steps,
        "last": number(last, 4),
        "distance": None if distance is None else number(distance, 3),
        "sign_changes": trace.sign_changes(),
    }


def _distance(told: Asked, trace: Trace) -> float | None:
    """From the last point to the nearest known minimum."""
    if not told.goal.minima:
        return None
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(np.asarray(told.goal.minima) - trace.points[-1], axis=1).min())


# -- why ------------------------------------------------------------------------------------------------------------------


def limits(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The predicted limit of each rule that is linear in the gradient, at the start: what moves with the start point."""
    told = asked(params)
    there = curvature_at(told.goal, np.array(told.start))
    sharpness = None if there is None or not there.largest > 0 else there.largest
    upside_down = None if there is None or not there.smallest < 0 else -there.smallest
    found: list[float | None] = []
    for optimizer in told.optimizers:
        known = optimizer.rule.kind == "linear" and "lr" in optimizer.hyperparameters
        steepest = upside_down if _climbs(optimizer) else sharpness
        walked = optimizer.with_values(maximize=False) if _climbs(optimizer) else optimizer
        found.append(_limit(walked, steepest) if known and steepest is not None else None)
    return Frame({"limits": found, "sharpness": sharpness})


def _climbs(optimizer: Optimizer) -> bool:
    return bool(optimizer.common.get("maximize"))


#: Limit at curvature 1 of rules whose limit goes as 1 over the curvature, None for those whose does not, by what decides it.
_UNIT: dict[Any, float | None] = {}


def _limit(optimizer: Optimizer, sharpness: float) -> float | None:
    """`lr_limit`, and in mid-drag too: for nearly every rule it goes as 1 over the curvature, which two of them tell."""
    key = (optimizer.name, *sorted((k, repr(v)) for k, v in optimizer.hyperparameters.items() if k != "lr"))
    if key not in _UNIT:
        one, two = lr_limit(optimizer, 1.0), lr_limit(optimizer, 8.0)
        even = one is not None and two is not None and math.isclose(one, 8 * two, rel_tol=1e-9)
        if len(_UNIT) > 500:
            _UNIT.clear()
        _UNIT[key] = one if even else None
    unit = _UNIT[key]
    limit = lr_limit(optimizer, sharpness) if unit is None else unit / sharpness
    return limit if limit is not None and math.isfinite(limit) else None


def explain(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """Why each run went as it did, what to try, and what the doctor reads in its curve. Asked where the pointer rests."""
    told = asked(params)
    return Frame({"runs": [_explained(told, k) for k in range(len(told.optimizers))]})


def _explained(told: Asked, k: int) -> dict[str, Any]:
    from descend.doctor import diagnose
    from descend.explain import explain as why

    trace = told.trace(k)
    used = told.optimizers[k]
    if trace.config["lr_predicted"]:
        used = used.with_values(lr=trace.config["hyperparameters"]["lr"])
    known = why(told.goal, used, trace, np.array(told.start))
    statement = known.statement
    said = None if _climbs(used) else diagnose(trace)
    return {
        "limit": statement.lr_limit,
        "limit_at": statement.at,
        "suggested": statement.lr_suggested,
        "why": known.why,
        "advice": known.advice,
        "try_lr": known.lr,
        "doctor": _reads(said, trace),
        "verdict": "none" if said is None else said.verdict,
        "found": [
            {"condition": f.condition, "evidence": f.evidence, "prescription": f.prescription}
            for f in (said.found[:3] if said is not None else ())
        ],
    }


def _reads(said: Diagnosis | None, trace: Trace) -> str:
    """The doctor's sentence. It reads the losses alone; what the descent itself shows to be otherwise is not said."""
    if said is None:
        return "It judges losses that are meant to fall; this run is told to climb."
    assert trace.outcome is not None
    first = said.found[0].condition if said.found else ""
    if first == "not-stepping" and np.ptp(np.asarray(trace.points), axis=0).any():
        return "The loss is the same in every row, as of a run that does not step; but the point moves."
    if said.verdict != "healthy" or trace.outcome.kind == "converged":
        return said.sentence
    head, _, notes = said.sentence.rstrip(".").partition("): ")
    kept = [note for note in notes.split(", ") if note and note != "converged"]
    if trace.outcome.kind != "step_budget":
        head = head.replace("Nothing wrong to be seen", "Nothing wrong to be seen in the losses alone")
    return f"{head.rstrip(')')}){': ' + ', '.join(kept) if kept else ''}."


def warm() -> None:
    """Compile what the first page will ask."""
    told = asked(FIRST)
    for k in range(len(told.optimizers)):
        told.trace(k)
    _catalogue()
    nobody = Talk(lambda _frame: None)
    ground(FIRST, nobody)
    explain(FIRST, nobody)
