"""The slopes page's asks about two inputs: gradient arrows, partial derivatives as slices, slopes in any direction."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.figures.data import Box
from descend.figures.field import evaluator, field_on
from descend.gradients import check_gradient
from descend.gradients.differences import difference_table
from descend.gradients.layout import size
from descend.lab.descents import objective_of
from descend.lab.desk import Talk
from descend.lab.frames import Frame, single
from descend.lab.slopes import Formula, formula, point_of, real
from descend.lab.words import number

__all__ = ["GROUNDS", "arrows", "partials"]

Floats = NDArray[np.float64]
GRID, ARROWS, SLICE, DIAL = 96, 11, 161, 121

#: What the page offers: formula, point, view, direction in degrees, and what is to be seen.
GROUNDS: tuple[dict[str, Any], ...] = (
    {"f": "x^2 + 3y^2", "at": [4, 3], "box": [[-6, 6], [-6, 6]], "story": "a bowl three times as steep in y"},
    {"f": "3x^2 + 2xy + y^3", "at": [1, 1], "box": [[-3, 3], [-3, 3]], "story": "each slope depends on both inputs"},
    {"f": "x^2 - y^2", "at": [1.5, 1], "box": [[-3, 3], [-3, 3]], "story": "a saddle: uphill one way, downhill the other"},
    {"f": "(1-x)^2 + 100(y-x^2)^2", "at": [-1, 1.6], "box": [[-2, 2], [-1, 3]], "story": "a curved valley: arrows across it"},
    {"f": "sin(x)*cos(y)", "at": [1, 1], "box": [[-4, 4], [-4, 4]], "story": "hills and hollows"},
)


def _view(told: Any) -> Box:
    if not isinstance(told, list) or len(told) != 2 or not all(isinstance(r, list) and len(r) == 2 for r in told):
        raise DescendError("a view is [[left, right], [bottom, top]]")
    (a, b), (c, d) = [[real(v, "an end of the view") for v in r] for r in told]
    if not (b - a > 1e-9 * max(abs(a), abs(b)) and d - c > 1e-9 * max(abs(c), abs(d))):
        raise DescendError("a view's left end lies left of its right one, and its bottom below its top")
    return Box(np.array([a, c]), np.array([b, d]))


def arrows(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The ground of a formula of two variables, and its gradient as arrows.

    `values` (n, n), `levels` (k,), and `places` and `gradients` (m, 2): where arrows stand and the gradient there.
    """
    shape, box = formula(params.get("f"), 2), _view(params.get("box"))
    goal = objective_of(params.get("f"))
    values = evaluator(goal, 2)
    assert values is not None
    field = field_on(values, box, size=GRID, minimum=goal.minimum)
    x, y = (box.low[i] + box.size[i] * (np.arange(ARROWS) + 0.5) / ARROWS for i in (0, 1))
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    gradients = np.stack([_along(p, places.T) for p in shape.partials], axis=1)
    there = np.isfinite(gradients).all(axis=1)
    told: dict[str, Any] = {"text": shape.expression.text, "box": np.stack([box.low, box.high], axis=1).tolist()}
    arrays: dict[str, NDArray[Any]] = {
        "values": single(field.values),
        "levels": field.levels,
        "places": places[there],
        "gradients": gradients[there],
    }
    return Frame(told, arrays)


def _along(f: Any, points: Any) -> Floats:
    with np.errstate(all="ignore"):
        values = np.broadcast_to(np.asarray(f.numpy(*points), dtype=np.float64), np.shape(points[0])).copy()
    values[~(np.abs(values) < 1e150)] = np.nan
    return values


def partials(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The gradient at a point, its slices, the slope in a direction, and the check by finite differences.

    `slice0`, `slice1` (n, 2): the function along each axis through the point; `along` (n, 2): along the direction, against
    the distance gone; `dial` (m, 2): the slope in each direction, by its angle in degrees.
    """
    shape = formula(params.get("f"), 2)
    f, names = shape.expression, shape.expression.variables
    at, box = point_of(params.get("at"), names), _view(params.get("box"))
    angle = real(params.get("angle", 0.0), "the direction") % 360.0
    h = real(params.get("h", 1e-4), "the step h")
    if not 1e-14 <= h <= 1:
        raise DescendError(f"the step h of a gradient check lies between 1e-14 and 1; got {h:g}")
    value = float(f.numpy(*at))
    gradient = np.array([float(p.numpy(*at)) for p in shape.partials])
    if not (math.isfinite(value) and np.isfinite(gradient).all()):
        raise DescendError(f"{f.text} has no finite gradient at ({at[0]:.6g}, {at[1]:.6g}): move the point")
    told = _told(shape, at, value, gradient)
    told |= _direction(gradient, angle) | {"check": _check(shape, at, gradient, h), "h": h}
    told["reading"] = _reading(told)
    arrays = _curves(shape, at, gradient, box, angle)
    return Frame(told, arrays)


def _told(shape: Formula, at: list[float], value: float, gradient: Floats) -> dict[str, Any]:
    norm = float(np.linalg.norm(gradient))
    f = shape.expression
    source, point = f.source, ",".join(map(repr, at))
    return {
        "text": f.text,
        "latex": f.latex(),
        "variables": f.variables,
        "partials": [p.latex() for p in shape.partials],
        "at": at,
        "value": value,
        "gradient": gradient.tolist(),
        "norm": norm,
        "steepest": (gradient / norm).tolist() if norm > 0 else None,
        "said": {
            "value": number(value),
            "gradient": [number(float(g)) for g in gradient],
            "norm": number(norm),
            "steepest": [number(float(g), 4) for g in gradient / norm] if norm > 0 else None,
        },
        "command": f"descend gradient {shlex.quote(source)} --at={point}",
        "python": f"from descend.gradients import describe\n\nprint(describe({source!r}, {at!r}))\n",
    }


def _direction(gradient: Floats, angle: float) -> dict[str, Any]:
    """u·∇f = |∇f| cos θ for the unit vector u at this angle."""
    u = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    norm, along = float(np.linalg.norm(gradient)), float(u @ gradient)
    cosine = min(1.0, max(-1.0, along / norm)) if norm > 0 else None
    steepest = math.degrees(math.atan2(gradient[1], gradient[0])) % 360 if norm > 0 else None
    return {
        "angle": angle,
        "u": u.tolist(),
        "directional": along,
        "cosine": cosine,
        "theta": None if cosine is None else math.degrees(math.acos(cosine)),
        "uphill": steepest,
        "said_directional": number(along, 5),
    }


def _check(shape: Formula, at: list[float], gradient: Floats, h: float) -> dict[str, Any]:
    """The library's own table at one h, and its verdict at the h that suits."""
    f = shape.expression
    row = difference_table(f, gradient, at, [h], f.variables).rows[0]
    verdict = check_gradient(f, gradient, np.array(at))
    rows = [
        {"name": n, "exact": number(float(g)), "forward": number(float(a)), "central": number(float(c))}
        for n, g, a, c in zip(f.variables, gradient, row.forward, row.central, strict=True)
    ]
    return {
        "rows": rows,
        "forward_error": size(row.forward_error),
        "central_error": size(row.central_error),
        "verdict": verdict.message,
        "ok": verdict.ok,
    }


def _curves(shape: Formula, at: list[float], gradient: Floats, box: Box, angle: float) -> dict[str, NDArray[Any]]:
    f = shape.expression
    arrays: dict[str, NDArray[Any]] = {}
    for i in (0, 1):
        t = np.linspace(box.low[i], box.high[i], SLICE)
        points = [t if i == 0 else np.full(SLICE, at[0]), t if i == 1 else np.full(SLICE, at[1])]
        arrays[f"slice{i}"] = np.stack([t, _along(f, points)], axis=1)
    u = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    t = np.linspace(-1, 1, SLICE) * float(box.size.min()) / 2
    arrays["along"] = np.stack([t, _along(f, [at[0] + t * u[0], at[1] + t * u[1]])], axis=1)
    turn = np.linspace(0, 360, DIAL)
    unit = np.stack([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
    arrays["dial"] = np.stack([turn, gradient @ unit], axis=1)
    return arrays


def _reading(told: Mapping[str, Any]) -> str:
    names, said = told["variables"], told["said"]
    if told["steepest"] is None:
        return "The gradient is zero here: a minimum, a maximum or a saddle. No direction is uphill."
    first = f"At ({told['at'][0]:.4g}, {told['at'][1]:.4g}) the slope is {said['gradient'][0]} along {names[0]} and "
    first += f"{said['gradient'][1]} along {names[1]}; steepest is along the arrow, {number(told['norm'], 5)}."
    theta = told["theta"]
    if theta < 1:
        turned = "The direction you hold is the steepest way up; gradient descent goes the opposite way."
    elif theta > 179:
        turned = "The direction you hold is the one gradient descent takes: straight down."
    elif abs(theta - 90) < 1:
        turned = "The direction you hold runs along the contour: the slope is 0 that way."
    else:
        turned = f"{theta:.0f}° away from it, the slope is {told['said_directional']}: the cosine's share."
    return f"{first} {turned}"
