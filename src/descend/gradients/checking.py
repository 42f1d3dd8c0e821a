"""Is this gradient right? Anybody's, by finite differences, and if not: which coordinate, and by what."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.gradients.differences import Flat
from descend.gradients.layout import columns, number, size

__all__ = ["CoordinateCheck", "GradientCheck", "check_gradient"]

#: All coordinates are checked up to this many; beyond it a random sample, and one direction through all of them.
MOST = 200
#: What is called right, relative to the gradient's size, where the differences are precise enough to tell.
TOLERANCE = 1e-5
_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class CoordinateCheck:
    """One coordinate: the gradient given, the slopes measured, and how sure the measurement is."""

    name: str
    given: float
    forward: float
    central: float
    #: |given − central| relative to the gradient's size.
    error: float
    #: How far the central difference itself may be off, by the same measure.
    doubt: float
    #: "right", "wrong", "kink" (left and right slopes differ; given lies between) or "cannot tell".
    verdict: str


@dataclass(frozen=True)
class GradientCheck:
    """The verdict on a gradient: true when nothing is wrong; print it for the table.

    `ok` is False when a coordinate or the shape is wrong, None when nothing could be told.
    """

    ok: bool | None
    message: str
    coordinates: tuple[CoordinateCheck, ...] = ()
    #: Coordinates there are; more than are listed when only a sample was checked.
    total: int = 0

    def __bool__(self) -> bool:
        return self.ok is True

    @property
    def wrong(self) -> tuple[CoordinateCheck, ...]:
        """The wrong coordinates, the worst first."""
        return tuple(sorted((c for c in self.coordinates if c.verdict == "wrong"), key=lambda c: -c.error))

    def to_dict(self) -> dict[str, Any]:
        """As strict JSON: what is not finite is null."""
        rows = [
            {k: v if isinstance(v, str) or np.isfinite(v) else None for k, v in asdict(c).items()} for c in self.coordinates
        ]
        return {"ok": self.ok, "message": self.message, "coordinates": rows, "total": self.total}

    def __str__(self) -> str:
        if not self.coordinates:
            return self.message
        listed = self.coordinates if len(self.coordinates) <= 12 else (self.wrong or self.coordinates)[:12]
        rows = [["coordinate", "given", "central", "forward", "relative error", ""]]
        rows += [[c.name, number(c.given), number(c.central), number(c.forward), size(c.error), c.verdict] for c in listed]
        lines = [self.message, "", *columns(rows, "<>>>><")]
        if len(listed) < self.total:
            lines.append(f"  ({len(listed)} of {self.total} coordinates shown, {len(self.coordinates)} checked)")
        return "\n".join(lines)


def check_gradient(f: Callable[[Any], Any], grad: Any, x: Any, h: float | None = None) -> GradientCheck:
    """Compare a gradient with central differences of f at x.

    f takes x and returns one number. `grad` is a function of x or the gradient itself. x is an array (NumPy, torch, JAX), a
    number, a list of numbers, or a dict, list or tuple of arrays. `h` is the step; by default it suits each coordinate.

    >>> check = check_gradient(lambda p: p[0] ** 2 + 3 * p[1] ** 2, lambda p: [2 * p[0], 3 * p[1]], [4.0, 3.0])
    >>> print(check.message)
    x[1] is wrong: 9.0 given, the slope is 18.0; yours is half the slope
    """
    if h is not None and not (np.isfinite(h) and h > 0):
        raise DescendError(f"a step size h is a positive number; got {h!r}")
    flat = Flat(f, x)
    _, leaves = flat.gradient(grad)
    wrong_shape = _compare_shapes(flat, leaves)
    if wrong_shape:
        return GradientCheck(False, wrong_shape, total=flat.point.size)
    given = np.concatenate([np.asarray(leaf, float).ravel() for leaf in leaves])
    if not np.isfinite(flat(flat.point)):
        raise DescendError("the function is not finite at the point: there is no slope to compare with")
    chosen = np.arange(given.size)
    if given.size > MOST:
        chosen = np.sort(np.random.default_rng(0).choice(given.size, MOST, replace=False))
    noise = _noise(flat)
    measured = [_measure(flat, int(i), h, noise) for i in chosen]
    scale = max(_finite_max([abs(m.central) for m in measured]), _finite_max(np.abs(given[chosen])), 1e-300)
    coordinates = tuple(_judge(flat.names[i], float(given[i]), m, scale) for i, m in zip(chosen, measured, strict=True))
    ok, message = _conclude(coordinates, flat, chosen)
    if ok and given.size > MOST:
        ok, message = _check_direction(flat, given, message)
    return GradientCheck(ok, message, coordinates, given.size)


def _finite_max(values: Any) -> float:
    finite = [float(v) for v in values if np.isfinite(v)]
    return max(finite, default=0.0)


def _compare_shapes(flat: Flat, leaves: list[Any]) -> str | None:
    """A sentence where the gradient has another shape than the point."""
    rule = "the gradient of a scalar loss has the shape of its parameters"
    if len(leaves) != len(flat.leaves):
        return f"the gradient has {len(leaves)} arrays, the point has {len(flat.leaves)}: {rule}"
    for i, (leaf, shape) in enumerate(zip(leaves, flat.shapes, strict=True)):
        got = tuple(np.shape(leaf))
        if got == shape:
            continue
        which = "" if len(leaves) == 1 else f" (array {i})"
        hint = ""
        if int(np.prod(got)) == int(np.prod(shape)):
            hint = f"; the numbers are as many, so reshape it to {shape}"
        elif len(got) > len(shape) and got[-len(shape) :] == shape:
            hint = f"; sum or average over its first {'axis' if len(got) == len(shape) + 1 else 'axes'}"
        elif len(shape) == 1 and len(got) == 1:
            hint = f"; {got[0]} looks like one number per example: multiply by Xᵀ to come back to the parameters"
        return f"the gradient has shape {got}, the point {shape}{which}: {rule}{hint}"
    return None


@dataclass(frozen=True)
class _Measured:
    forward: float
    backward: float
    central: float
    doubt: float
    kink: bool


def _noise(flat: Flat) -> float:
    """How much the function's value jitters by rounding, from its differences of high order on very short steps.

    Moré & Wild 2011, "Estimating computational noise": a smooth function's fourth differences vanish there, noise does not.
    float32 inside the function shows as 1e-7 of its value.
    """
    direction = np.random.default_rng(2).standard_normal(flat.point.size)
    direction *= 1e-6 * np.maximum(1.0, np.abs(flat.point))
    values = np.array([flat(flat.point + i * direction) for i in range(9)])
    floor = _EPS * float(np.max(np.abs(values)))
    if not np.all(np.isfinite(values)):
        return floor
    fourth = np.diff(values, 4)
    return max(floor, float(np.sqrt(np.mean(fourth**2) * (24**2 / math.factorial(8)))))


def _measure(flat: Flat, i: int, h: float | None, noise: float) -> _Measured:
    """The slope in coordinate i at h and h/2: what changes between them, and the noise, is how far it can be trusted."""
    x, value = abs(float(flat.point[i])), abs(flat(flat.point))
    relative = min(max(_EPS, noise / value if value else _EPS), 1e-3)
    step = h if h is not None else relative ** (1 / 3) * max(1.0, x)
    wide, narrow = flat.central(i, step), flat.central(i, step / 2)
    forward, backward = flat.forward(i, step), flat.forward(i, -step)
    rounding = 4 * max(noise, _EPS * abs(forward) * step) / step
    gap, closer = abs(forward - backward), abs(flat.forward(i, step / 8) - flat.forward(i, -step / 8))
    kink = gap > 1e-3 * max(abs(forward), abs(backward)) and closer > 0.7 * gap and gap > 50 * rounding
    return _Measured(forward, backward, wide if h is not None else narrow, 4 * abs(wide - narrow) + 2 * rounding, bool(kink))


def _judge(name: str, given: float, m: _Measured, scale: float) -> CoordinateCheck:
    error, doubt = abs(given - m.central) / scale, m.doubt / scale
    low, high = sorted((m.forward, m.backward))
    slack = TOLERANCE * scale
    if not np.isfinite(m.central):
        verdict = "cannot tell"
    elif not np.isfinite(given):
        verdict = "wrong"
    elif m.kink and low - slack <= given <= high + slack:
        verdict = "kink"
    elif error <= TOLERANCE:
        verdict = "right"
    elif error <= doubt:
        verdict = "right" if doubt < 1e-2 else "cannot tell"
    else:
        verdict = "wrong"
    return CoordinateCheck(name, given, m.forward, m.central, error, doubt, verdict)


def _conclude(coordinates: tuple[CoordinateCheck, ...], flat: Flat, chosen: np.ndarray) -> tuple[bool | None, str]:
    wrong = [c for c in coordinates if c.verdict == "wrong"]
    unsure = [c for c in coordinates if c.verdict == "cannot tell"]
    kinks = [c for c in coordinates if c.verdict == "kink"]
    if wrong:
        worst = max(wrong, key=lambda c: c.error if np.isfinite(c.error) else np.inf)
        which = f"{len(wrong)} of {len(coordinates)} coordinates are wrong, {worst.name} most"
        which = which if len(wrong) > 1 else f"{worst.name} is wrong"
        reason = _reason(coordinates, np.array([flat.point[i] for i in chosen]))
        said = f"{number(worst.given)} given, the slope is {number(worst.central)}"
        return False, f"{which}: {said}{'; ' + reason if reason else ''}"
    if unsure:
        what = f"cannot tell at {unsure[0].name}: the differences there are too rough to judge by"
        return None, f"{what} ({len(unsure)} of {_coordinates(len(coordinates))})"
    error = size(max(c.error for c in coordinates if c.verdict == "right")) if len(kinks) < len(coordinates) else "–"
    edge = f"; {kinks[0].name} stands on a kink, where any slope between left and right is right" if kinks else ""
    return True, f"the gradient is right: largest relative error {error} over {_coordinates(len(coordinates))}{edge}"


def _coordinates(n: int) -> str:
    return f"{n} coordinate{'' if n == 1 else 's'}"


def _reason(coordinates: tuple[CoordinateCheck, ...], point: np.ndarray) -> str:
    """What is known to go wrong, where the numbers show it."""
    given, slope = (np.array([getattr(c, name) for c in coordinates]) for name in ("given", "central"))
    bad = np.array([c.verdict == "wrong" for c in coordinates])
    if not np.all(np.isfinite(given[bad])):
        return "it is not finite"
    with np.errstate(all="ignore"):
        ratio = given[bad] / slope[bad]
        decay = (given[bad] - slope[bad]) / point[bad]
    if np.all(np.isfinite(ratio)) and np.ptp(ratio) <= 1e-4 * max(1.0, float(np.max(np.abs(ratio)))):
        return _ratio(float(np.mean(ratio)))
    if bad.sum() > 1 and _same(np.sort(given[bad]), np.sort(slope[bad])):
        names = [c.name for c in coordinates if c.verdict == "wrong"]
        return f"the slopes of {', '.join(names[:6])} are in each other's places"
    if bad.sum() > 1 and np.all(np.isfinite(decay)) and np.ptp(decay) <= 1e-4 * float(np.max(np.abs(decay))):
        return f"the difference is {number(float(np.mean(decay)), 4)} times the point: a weight decay term on one side only"
    if bad.sum() > 1 and np.ptp(given[bad] - slope[bad]) <= 1e-5 * float(np.max(np.abs(slope))):
        return f"every wrong one is off by the same {number(float(np.mean(given[bad] - slope[bad])), 4)}"
    return ""


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a, b, rtol=1e-4, atol=1e-6 * float(np.max(np.abs(b)))))


def _ratio(ratio: float) -> str:
    if abs(ratio) < 1e-6:
        return "yours is 0 where the slope is not"
    for value, words in ((-1.0, "the sign is flipped"), (2.0, "yours is twice the slope"), (0.5, "yours is half the slope")):
        if abs(ratio - value) < 1e-4:
            return words
    if ratio > 0 and abs(1 / ratio - round(1 / ratio)) < 1e-4 * (1 / ratio):
        return f"yours is 1/{round(1 / ratio)} of the slope (a mean where the loss has a sum?)"
    if ratio > 0 and abs(ratio - round(ratio)) < 1e-4 * ratio:
        return f"yours is {round(ratio)} times the slope (a sum where the loss has a mean?)"
    return f"yours is {number(ratio, 4)} times the slope"


def _check_direction(flat: Flat, given: np.ndarray, message: str) -> tuple[bool | None, str]:
    """One random direction through all coordinates: a mistake outside the sample shows here."""
    direction = np.random.default_rng(1).standard_normal(given.size)
    direction /= np.linalg.norm(direction)
    along = Flat(lambda t: flat(flat.point + t[0] * direction), [0.0])
    measured = _measure(along, 0, None, _noise(flat))
    expected = float(given @ direction)
    error = abs(expected - measured.central)
    if error > max(1e-4 * float(np.linalg.norm(given)) / np.sqrt(given.size), measured.doubt):
        said = f"along a random direction the slope is {number(measured.central)}, the gradient says {number(expected)}"
        return False, f"a coordinate outside the sample of {MOST} is wrong: {said}"
    return True, message + f" of {given.size} (a sample) and along a random direction through all"
