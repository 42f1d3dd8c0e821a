"""The slopes page's asks about one input: secant and tangent, three readings of a slope, rules, and how small h may be.

A question names a formula of one variable and a point; every number in the answer is the library's own (`gradients`), also as
the text the page shows, so that page, command line and library agree to the last digit displayed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.gradients.layout import size
from descend.lab.descents import objective_of
from descend.lab.desk import Talk
from descend.lab.frames import Frame
from descend.lab.words import number
from descend.objectives.expression import Expression, parse

__all__ = [
    "CURVES",
    "Formula",
    "errors",
    "formula",
    "point_of",
    "real",
    "slope",
    "slope_presets",
    "warm",
]

Floats = NDArray[np.float64]
EPS = float(np.finfo(float).eps)
#: Points along a curve, and along the picture that zooms in to `WINDOW` times h on either side.
FINE, CLOSE, WINDOW = 321, 161, 4.0
#: Fewer heights than this in the close-up, and it shows float64's stairs instead of the curve.
STAIRS = 40
#: The steps of the table: 2.1, 2.01, 2.001 for x² at 1.
STEPS = (0.1, 0.01, 0.001)
#: The step sizes at which errors are drawn: twelve in each power of ten.
HS = 10.0 ** -(np.arange(0, 16 * 12 + 1) / 12)
#: A derivative of more parts than this is not derived again.
SIMPLE = 80

#: What the page offers: formula, point, step, view, and what is to be seen.
CURVES: tuple[dict[str, Any], ...] = (
    {"f": "x^2", "at": 1, "h": 0.5, "box": [-1.2, 2.6], "story": "the squared error: the slope is twice the distance"},
    {"f": "(3x+1)^2", "at": 0, "h": 0.01, "box": [-1.2, 0.8], "story": "a function in a function: the chain rule"},
    {"f": "5x^3 - 2x + 7", "at": 1, "h": 0.2, "box": [-1.5, 1.8], "story": "powers, sums and a constant"},
    {"f": "sin(x)", "at": 1, "h": 0.5, "box": [-4, 4], "story": "ripples: slopes of either sign"},
    {"f": "exp(x)", "at": 0, "h": 0.5, "box": [-3, 2], "story": "its own slope"},
    {"f": "log(x)", "at": 1, "h": 0.5, "box": [-0.2, 4], "story": "near 0 the slope grows without bound"},
    {"f": "|x|", "at": 0, "h": 0.5, "box": [-2, 2], "story": "a corner has two slopes, one from each side"},
    {"f": "relu(x)", "at": 1, "h": 0.5, "box": [-2, 2], "story": "0 or 1: a gate for gradients"},
    {"f": "sigmoid(x)", "at": 0, "h": 0.5, "box": [-7, 7], "story": "at most 0.25, and next to nothing far out"},
    {"f": "tanh(x)", "at": 0.5, "h": 0.5, "box": [-4, 4], "story": "saturates on both sides"},
)


@dataclass(frozen=True)
class Formula:
    """An expression with its partial derivatives, and the second and third of one variable where they are simple."""

    expression: Expression
    partials: tuple[Expression, ...]
    higher: tuple[Expression, ...] = ()


def formula(text: Any, count: int) -> Formula:
    """The formula with `count` variables in this text, derived."""
    if not isinstance(text, str):
        raise DescendError("a formula is text, such as x^2")
    return _derived(text, count)


@lru_cache(maxsize=64)
def _derived(text: str, count: int) -> Formula:
    goal = objective_of(text)
    expression = goal.expression
    what = "one variable" if count == 1 else "two variables"
    if expression is None:
        raise DescendError(f"{goal.name} is not a formula; a slope is derived from one, such as x^2")
    if len(expression.variables) != count:
        has = ", ".join(expression.variables)
        raise DescendError(f"this figure takes a formula of {what}; {expression.text} has {len(expression.variables)} ({has})")
    partials = expression.gradient()
    higher: list[Expression] = []
    if count == 1:
        last = partials[0]
        while len(higher) < 2 and len(last.nodes) <= SIMPLE:
            last = last.gradient()[0]
            higher.append(last)
    return Formula(expression, partials, tuple(higher))


def real(value: Any, what: str) -> float:
    """A finite number, or a sentence."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e150:
        raise DescendError(f"{what} must be a finite number; got {str(value)[:40]!r}")
    return float(value)


def point_of(told: Any, names: tuple[str, ...]) -> list[float]:
    """A point with one number for each name."""
    if not isinstance(told, list) or len(told) != len(names):
        raise DescendError(f"a point has one number for each of {', '.join(names)}")
    return [real(v, name) for v, name in zip(told, names, strict=True)]


def _step(told: Any) -> float:
    h = real(told, "the step h")
    if not 1e-300 <= abs(h) <= 1e6:
        raise DescendError(f"the step h lies between 1e-300 and 1e6, to either side of 0; got {h:g}")
    return h


def _range(told: Any, at: float) -> tuple[float, float]:
    if told is None:
        return at - 3, at + 3
    if not isinstance(told, list) or len(told) != 2:
        raise DescendError("a view is two numbers, its left and right end")
    low, high = (real(v, "an end of the view") for v in told)
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        raise DescendError(f"a view's left end lies left of its right one; got {low:g} and {high:g}")
    return low, high


def slope_presets(_params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The curves on offer, with their formulas in LaTeX, and the surfaces of two inputs."""
    from descend.lab.partials import GROUNDS

    curves = [{**c, "latex": parse(c["f"]).latex(), "text": parse(c["f"]).text} for c in CURVES]
    grounds = [{**g, "latex": parse(g["f"]).latex(), "text": parse(g["f"]).text} for g in GROUNDS]
    return Frame({"curves": curves, "grounds": grounds})


def slope(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """A curve at a point: its secant over h, its tangent, and both as numbers.

    `curve` (n, 2) in the view, `zoom` (m, 2): how far the input and the value move, in units of |h|, near the point.
    """
    shape = formula(params.get("f"), 1)
    f, name = shape.expression, shape.expression.variables[0]
    at, h = real(params.get("at"), f"the point's {name}"), _step(params.get("h"))
    low, high = _range(params.get("box"), at)
    x = np.linspace(low, high, FINE)
    y = _values(f, x)
    value = float(f.numpy(at))
    exact = float(shape.partials[0].numpy(at)) if math.isfinite(value) else math.nan
    secant = _secant(f, at, h)
    offsets, moved = _close_up(f, at, value, abs(h))
    lean = WINDOW * 1.15 * max([abs(v) for v in (exact, secant) if math.isfinite(v)] + [0.25])
    moves = at + h
    told = {
        "text": f.text,
        "variable": name,
        "at": at,
        "h": h,
        "moved": moves,
        "value": _or_none(value),
        "next": _or_none(float(f.numpy(moves))),
        "slope": _or_none(exact),
        "secant": _or_none(secant),
        "swallowed": moves == at,
        "table": [[math.copysign(s, h), _said(_secant(f, at, math.copysign(s, h)))] for s in STEPS],
        "said": {"slope": _said(exact), "secant": _said(secant), "value": _said(value)},
        "box": [[low, high], _height(y, value)],
        "lean": min(lean, 1e12),
        "bend": _bend(offsets, moved, exact, lean),
        "grainy": bool(exact) and len(np.unique(moved)) < STAIRS,
    }
    told["reading"] = _reading(told)
    return Frame(told, {"curve": np.stack([x, y], axis=1), "zoom": np.stack([offsets, moved], axis=1)})


def _values(f: Expression, x: Floats) -> Floats:
    with np.errstate(all="ignore"):
        y = np.broadcast_to(np.asarray(f.numpy(x), dtype=np.float64), x.shape).copy()
    y[~(np.abs(y) < 1e150)] = np.nan
    return y


def _secant(f: Expression, at: float, h: float) -> float:
    """(f(x + h) − f(x)) / h as it is typed: where x + h rounds, so does the quotient. The library's table divides by
    (x + h) − x, the step really taken."""
    with np.errstate(all="ignore"):
        return float((f.numpy(at + h) - f.numpy(at)) / h)


def _or_none(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _said(value: float | None) -> str | None:
    return number(value) if value is not None and math.isfinite(value) else None


def _height(y: Floats, value: float) -> list[float]:
    """The view's lower and upper end: all of a curve that stays within bounds, the middle of one that does not."""
    finite = y[np.isfinite(y)]
    if math.isfinite(value):
        finite = np.append(finite, value)
    if not finite.size:
        return [-1.0, 1.0]
    inner = np.quantile(finite, [0.03, 0.97])
    room = 0.75 * max(float(inner[1] - inner[0]), 1e-9)
    low, high = max(float(finite.min()), float(inner[0]) - room), min(float(finite.max()), float(inner[1]) + room)
    if math.isfinite(value):
        low, high = min(low, value), max(high, value)
    pad = 0.09 * (high - low) or max(1.0, abs(high)) * 0.5
    return [low - pad, high + pad]


def _close_up(f: Expression, at: float, value: float, h: float) -> tuple[Floats, Floats]:
    """Input and value near the point, as moves in units of h: float64's own grain shows once h is small."""
    x = at + np.linspace(-WINDOW, WINDOW, CLOSE) * h
    with np.errstate(all="ignore"):
        return (x - at) / h, (_values(f, x) - value) / h


def _bend(offsets: Floats, moved: Floats, exact: float, lean: float) -> float | None:
    """How far the curve leaves its tangent within the window, as a part of the window's height."""
    with np.errstate(all="ignore"):
        gap = np.abs(moved - exact * offsets) / (2 * lean)
    return float(np.nanmax(gap)) if np.isfinite(gap).any() else None


def _reading(told: Mapping[str, Any]) -> dict[str, str]:
    """Each framing in a sentence."""
    x, at, h, value, after = told["variable"], told["at"], told["h"], told["value"], told["next"]
    if value is None:
        nothing = f"{told['text']} has no finite value at {x} = {at:.6g}, so there is no slope: move the point."
        return dict.fromkeys(("rate", "tangent", "sensitivity"), nothing)
    if told["swallowed"]:
        gone = (
            f"{x} + h is {x} itself: float64 has no number between {at:.6g} and the next one, {np.spacing(abs(at)):.2g} away."
        )
        return dict.fromkeys(("rate", "tangent", "sensitivity"), gone + " Nothing moves, and the quotient is 0.")
    if after is None:
        nothing = f"{told['text']} has no finite value at {x} + h = {told['moved']:.6g}: take a smaller h, or the other sign."
        return dict.fromkeys(("rate", "tangent", "sensitivity"), nothing)
    rise, secant, exact = after - value, told["said"]["secant"], told["said"]["slope"]
    way = "rises" if rise > 0 else "falls" if rise < 0 else "stays level: it moves"
    over = f"{number(abs(rise))} over a run of {number(abs(h))}"
    rate = f"f {way} by {over}" + ("" if h > 0 else ", going left") + f": {secant} per unit of {x}."
    limit = f" The limit is {exact}." if exact is not None else " There is no limit here."
    moved = f"Wiggle {x} by {number(h)} and f moves by {number(rise)}: {secant} times as far."
    return {"rate": rate + limit, "tangent": _straightness(told), "sensitivity": moved}


def _straightness(told: Mapping[str, Any]) -> str:
    bend = told["bend"]
    if told["slope"] is None or bend is None:
        return "There is no tangent here: the curve has no finite slope at this point."
    if told["grainy"]:
        return "Too close: these stairs are float64's own grain, and no slope can be read off them."
    said = f"{100 * bend:.1f}%" if bend >= 0.001 else "less than 0.1%"
    how = "Straight, to the eye" if bend < 0.006 else "Nearly straight" if bend < 0.03 else "Still bent"
    return f"{how}: over this window the curve leaves its tangent, of slope {told['said']['slope']}, by {said} of the height."


def warm() -> None:
    """Import what the first derivative will need."""
    formula(CURVES[0]["f"], 1)


# -- how small h may be ---------------------------------------------------------------------------------------------------


def errors(params: Mapping[str, Any], _talk: Talk) -> Frame:
    """The error of forward and central differences against h, relative to the slope, with the laws behind the valley.

    `h` (n,), `forward` and `central` (n,), NaN where there is none, divided by h as one types it; `careful` (n,): forward,
    divided by the step really taken, as `difference_table` does. `truncation` and `rounding` (n, 2) for the two where the
    higher derivatives are known. The marks stand at √ε and ε^(1/3), times |x| beyond 1.
    """
    shape = formula(params.get("f"), 1)
    f, name = shape.expression, shape.expression.variables[0]
    at = real(params.get("at"), f"the point's {name}")
    value, exact = float(f.numpy(at)), float(shape.partials[0].numpy(at))
    if not (math.isfinite(value) and math.isfinite(exact)):
        raise DescendError(f"{f.text} has no finite slope at {name} = {at:.6g}, so there is no error to draw")
    scale = abs(exact) or 1.0
    stretch = max(1.0, abs(at))
    forward, central, careful = _differences(f, at, value, exact, HS)
    with np.errstate(all="ignore"):
        grain = EPS * abs(value) / HS / scale
        rounding = np.stack([grain, grain / 2], axis=1)
        second, third = ([float(d.numpy(at)) for d in shape.higher] + [math.nan] * 2)[:2]
        truncation = np.stack([abs(second) / 2 * HS / scale, abs(third) / 6 * HS**2 / scale], axis=1)
    best = [("forward", math.sqrt(EPS) * stretch, "√ε"), ("central", EPS ** (1 / 3) * stretch, "∛ε")]
    there = _differences(f, at, value, exact, np.array([h for _, h, _ in best]))
    marks = [{"kind": kind, "h": h, "why": why, "error": _or_none(float(there[i][i]))} for i, (kind, h, why) in enumerate(best)]
    bend, third_slope = _or_none(second), _or_none(third)
    told = {"text": f.text, "at": at, "slope": exact, "marks": marks, "curvature": bend, "third": third_slope}
    told["reading"] = _valley(marks, bend, third_slope)
    arrays = {
        "h": HS,
        "forward": forward,
        "central": central,
        "careful": careful,
        "truncation": truncation,
        "rounding": rounding,
    }
    return Frame(told, arrays)


def _differences(f: Expression, at: float, value: float, exact: float, hs: Floats) -> tuple[Floats, Floats, Floats]:
    """Errors relative to the slope (to 1 where it is 0): forward, central, and forward by the step really taken."""
    above, below, scale = at + hs, at - hs, abs(exact) or 1.0
    with np.errstate(all="ignore"):
        up, down = _values(f, above), _values(f, below)
        forward, central = (up - value) / hs, (up - down) / (2 * hs)
        careful = (up - value) / (above - at)
        return tuple(np.abs(d - exact) / scale for d in (forward, central, careful))  # type: ignore[return-value]


def _valley(marks: list[dict[str, Any]], second: float | None, third: float | None) -> str:
    sizes = [size(m["error"]) if m["error"] is not None else "no number" for m in marks]
    start = (
        f"Too large an h and the curve bends away; too small and float64 runs out of digits. At h = √ε the forward "
        f"difference is off by {sizes[0]}, at ∛ε the central one by {sizes[1]}."
    )
    if second == 0:
        return start + " Here the second derivative is 0, so that a forward difference has no bend to miss."
    if third == 0:
        return start + " Here the third derivative is 0, so that only rounding is left of the central difference's error."
    return start + " Forward errs like h, central like h²: three more digits for one more evaluation."
