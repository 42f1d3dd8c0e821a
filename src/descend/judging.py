"""How a descent ended, judged from its trace: one of five outcomes and a sentence a person can use.

Where the optimizer maximises, the loss is turned upside down before it is judged, and told the right way up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.stopping import Stop
from descend.trace import Outcome, Trace

__all__ = ["judge", "plural"]

Floats = NDArray[np.float64]

#: A gradient this much smaller than at its largest counts as vanished when no tolerance was stated.
VANISHED = 1e-7
#: With a loss that stopped falling, a gradient this much smaller than at its largest is at rest.
SETTLED = 1e-3
#: A loss below minus this many times its first size falls without end.
ENDLESS = 1e6
#: Fewer points than this tell nothing about a trend.
ENOUGH = 8
#: Growth over a whole run of this many times needs no further proof that it is none of the run's own ups and downs.
MANYFOLD = 10.0
#: Robust spreads of a noisy loss by which it must have moved before it has moved.
SPREADS = 5.0
#: A median absolute deviation is this part of the standard deviation of a normal law.
NORMAL_MAD = 0.6745
#: A surface that changes by less than this over the size of the point is a plain.
PLAIN = 1e-12
EPS = float(np.finfo(np.float64).eps)


def plural(count: int, noun: str) -> str:
    """`1 step`, `20 steps`, `10,000 steps`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass
class _Case:
    """A trace to judge, with its loss such that down is where the optimizer wants to go."""

    trace: Trace
    goal: Any

    @cached_property
    def climbs(self) -> bool:
        return bool(self.trace.config.get("hyperparameters", {}).get("maximize"))

    @cached_property
    def loss(self) -> Floats:
        return -self.trace.loss if self.climbs else self.trace.loss

    @property
    def size(self) -> Floats:
        return self.trace.grad_norm

    @property
    def made(self) -> int:
        return self.trace.steps - int(self.trace.step[0])

    @property
    def noisy(self) -> bool:
        return bool(self.goal.stochastic)

    @property
    def wanted(self) -> str:
        return "maximum" if self.climbs else "minimum"

    @property
    def moved(self) -> str:
        loss = self.trace.loss
        return f"{'maximising, ' if self.climbs else ''}{plural(self.made, 'step')} took the loss from {_from_to(loss)}"

    @property
    def gradient(self) -> str:
        return "the gradient norm of a batch" if self.noisy else "the gradient norm"

    @cached_property
    def ground(self) -> _Ground | None:
        return _ground(self)


def judge(trace: Trace, goal: Any, reason: str, budget: int, stop: Stop) -> Outcome:
    """The outcome of a descent that stopped for `reason` (empty: the step budget was used)."""
    with np.errstate(over="ignore", invalid="ignore"):  # a loss of 1e300, times anything
        return _judged(_Case(trace, goal), reason, budget, stop)


def _judged(case: _Case, reason: str, budget: int, stop: Stop) -> Outcome:
    trace = case.trace
    if reason == "not finite":
        return _not_finite(case)
    if _never_moved(case):
        return _stationary(case)
    if reason == "growth":
        return Outcome("diverged", f"Diverged: {_growth(case) if case.loss[-1] > 0 else _endless(case)}; stopped there.")
    if reason == "gradient":
        return _gradient_small(case, stop)
    if reason == "loss":
        return _stopped_shrinking(case, stop)
    start = "" if reason != "interrupted" else f"Interrupted after {plural(trace.steps, 'step')}: "
    if _is_growing(case.loss, case.noisy):
        return Outcome("diverged", f"{start}Diverged: {_growth(case)}.")
    if case.loss[-1] < -ENDLESS * max(abs(case.loss[0]), 1.0):
        return Outcome("diverged", f"{start}Diverged: {_endless(case)}.")
    if _vanished(case):
        why = f"{case.gradient} is down to {case.size[-1]:.3g} after {plural(trace.steps, 'step')}"
        return _at_rest(case, why, start)
    if reason != "interrupted":
        stuck = _stuck(case)
        if stuck is not None:
            return stuck
    return Outcome("step_budget", f"{start or 'Step budget used: '}{_progress(case)}.")


# -- at rest --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ground:
    """The curvature where a descent ended, such that up is up for the optimizer."""

    lowest: float
    highest: float
    #: The direction of the lowest curvature, and that curvature as the objective has it.
    along: str
    told: float
    flat: bool
    #: Curves down in some direction, by more than rounding.
    falls: bool
    #: Curves up in every direction, by more than rounding.
    holds: bool


def _ground(case: _Case) -> _Ground | None:
    """What the curvature says about the last point, or None where it is not known."""
    from descend.stability import curvature_at

    trace = case.trace
    found = curvature_at(case.goal, trace.point) if trace.variables else None
    if found is None or not found.exact:
        return None
    values = -found.eigenvalues[::-1] if case.climbs else found.eigenvalues
    lowest, highest = float(values[0]), float(values[-1])
    largest = max(abs(lowest), abs(highest))
    # how much the loss changes over the size of the point, next to what is nothing: for a descent that came down, rounding of
    # the losses it saw; for one that did not, nobody knows the objective's scale, and it is taken to be 1 or more
    reach = max(1.0, float(np.abs(trace.points[-1]).max())) ** 2 if "point" in trace else 1.0
    scale = float(np.abs(case.loss[np.isfinite(case.loss)]).max())
    came_down = case.loss[-1] < case.loss[0] - 1e-3 * abs(case.loss[0])
    rounding = EPS * scale if came_down else PLAIN * max(1.0, scale)
    seen = largest
    if "point" in trace and not largest * reach <= rounding:
        first = curvature_at(case.goal, _like(trace.point, trace.points[0]))
        seen = max(largest, float(np.abs(first.eigenvalues).max())) if first is not None else largest
    enough = max(1e-6 * largest, 1e-9 * seen)
    flat = largest * reach <= rounding
    along = found.direction(trace.variables, smallest=not case.climbs)
    told = -lowest if case.climbs else lowest
    return _Ground(lowest, highest, along, told, flat, not flat and lowest < -enough, not flat and lowest > enough)


def _like(point: Any, values: Floats) -> Any:
    """The numbers in the structure, shapes and types of a point."""
    from descend.trees import flatten

    leaves, rebuild = flatten(point)
    arrays = [np.asarray(leaf) for leaf in leaves]
    ends = np.cumsum([a.size for a in arrays])[:-1]
    return rebuild([part.reshape(a.shape).astype(a.dtype) for part, a in zip(np.split(values, ends), arrays, strict=True)])


def _never_moved(case: _Case) -> bool:
    """The gradient is zero at the start, and nothing else moved it either."""
    moved = case.trace["update_norm"] if "update_norm" in case.trace else np.zeros(0)
    return bool(case.size[0] == 0) and not np.any(moved)


def _stationary(case: _Case) -> Outcome:
    where, ground = "the start is a stationary point", case.ground
    rest = f"the gradient there is 0, so no step moves it; loss {case.trace.loss[-1]:.6g}"
    lowest, highest = ("maximum", "minimum") if case.climbs else ("minimum", "maximum")
    if ground is None:
        return Outcome("stalled", f"Stalled: {where}: {rest}; whether it is a {case.wanted} is not known.")
    if ground.holds:
        return Outcome("converged", f"Converged: {where}, a {lowest}: {rest}.")
    if ground.flat:
        return Outcome("stalled", f"Stalled: {where}, flat to second order: {rest}.")
    if not ground.falls:
        return Outcome(
            "stalled", f"Stalled: {where} that does not curve along {ground.along}: {rest}; curvature cannot say what it is."
        )
    if ground.highest > 1e-6 * abs(ground.lowest):
        curves = f"the curvature along {ground.along} is {ground.told:.3g}"
        return Outcome("stalled", f"Stalled at a saddle, not a {case.wanted}: {where}, where {curves}: {rest}.")
    if ground.highest < -1e-6 * abs(ground.lowest):
        return Outcome("stalled", f"Stalled: {where}, a {highest}: {rest}.")
    return Outcome("stalled", f"Stalled: {where}, and along {ground.along} it is no {case.wanted}: {rest}.")


def _gradient_small(case: _Case, stop: Stop) -> Outcome:
    size, tolerance = case.size[-1], f"{stop.tol_grad:.3g}"
    if case.made == 0:
        return _at_rest(case, f"{case.gradient} at the start, {size:.3g}, is within the tolerance {tolerance} already")
    return _at_rest(
        case, f"{case.gradient} fell to {size:.3g} (tolerance {tolerance}) after {plural(case.trace.steps, 'step')}"
    )


def _at_rest(case: _Case, why: str, start: str = "") -> Outcome:
    """Converged, unless the gradient vanished where the loss still falls in some direction, or where all is flat."""
    loss, ground = case.loss, case.ground
    first, last, shown = loss[0], loss[-1], case.trace.loss
    worse = bool(last > first + 1e-6 * abs(first))
    side = "below" if case.climbs else "above"
    if ground is not None and ground.falls:
        curves = f"but the curvature along {ground.along} is {ground.told:.3g}"
        return Outcome("stalled", f"{start}Stalled at a saddle, not a {case.wanted}: {why}, {curves}.")
    if ground is not None and ground.flat and not last < first - 1e-6 * abs(first):
        level = f"but the surface is flat there, and the loss {shown[-1]:.6g}"
        than = f"{side} the {shown[0]:.6g} it started from" if worse else "no better than where it started"
        return Outcome("stalled", f"{start}Stalled on a plateau: {why}, {level}, {than}.")
    if worse and ground is not None and ground.holds:
        level = f"the loss there, {shown[-1]:.6g}, is {side} the {shown[0]:.6g} it started from"
        return Outcome("converged", f"{start}Converged to a local {case.wanted}: {why}; {level}.")
    if worse:
        level = f"but the loss is {shown[-1]:.6g}, {side} the {shown[0]:.6g} it started from"
        return Outcome("stalled", f"{start}Stalled on a plateau: {why}, {level}.")
    to = " to a maximum" if case.climbs else ""
    return Outcome("converged", f"{start}Converged{to}: {why}; loss {shown[-1]:.6g}.")


def _stopped_shrinking(case: _Case, stop: Stop) -> Outcome:
    why = f"the loss changed by no more than {stop.tol_loss:g} three times in a row by step {case.trace.steps:,}"
    if case.size[-1] <= 1e-2 * np.max(case.size):
        return _at_rest(case, f"{why} and {case.gradient} is {case.size[-1]:.3g}")
    return Outcome(
        "stalled",
        f"Stalled: {why}, yet {case.gradient} is still {case.size[-1]:.3g}: the steps are too small, or too large and cancel.",
    )


def _vanished(case: _Case) -> bool:
    return bool(case.size[-1] <= VANISHED * np.max(case.size)) or bool(case.size[-1] == 0)


# -- growing without end, or falling ----------------------------------------------------------------------------------------


def _is_growing(loss: Floats, noisy: bool = False) -> bool:
    """Ends above where it began, and is still on its way up: an excursion that turns round is no growth."""
    if len(loss) < 4 or not loss[-1] > loss[0] + 1e-9 * max(abs(loss[0]), 1e-300):
        return False
    if noisy:
        return _outgrows_noise(loss)
    return _climbs_faster(loss) or _outgrew(loss) or _peaks_rise(loss)


def _climbs_faster(loss: Floats) -> bool:
    """Up at each step of the later half, by no less towards the end."""
    rises = np.diff(loss[len(loss) // 2 :] if len(loss) >= ENOUGH else loss[-4:])
    half = len(rises) // 2
    return bool(np.all(rises > 0) and rises[half:].mean() >= rises[: len(rises) - half].mean() * (1 - 1e-6))


def _outgrew(loss: Floats) -> bool:
    """Most of the last quarter is many times above all of the first, and the last quarter rises still."""
    quarter = len(loss) // 4
    if quarter < 2:
        return False
    early, late = loss[:quarter], loss[-quarter:]
    floor = max(float(early.max()), 0.0)
    median = float(np.median(late))
    return median > MANYFOLD * floor and median > floor and bool(late.max() > loss[:-quarter].max())


def _peaks_rise(loss: Floats) -> bool:
    """The peaks of six stretches rise one after the other, ever faster: growth under an oscillation."""
    if len(loss) < 24:
        return False
    peaks = np.array([part.max() for part in np.array_split(loss, 6)])
    return bool(np.all(np.diff(peaks) > 0) and peaks[5] - peaks[3] > peaks[2] - peaks[0] and peaks[5] > 1.2 * peaks[0])


def _outgrows_noise(loss: Floats) -> bool:
    """The medians of quarters rise by several spreads of the loss around them, up to the end."""
    if len(loss) < 4 * 4:
        return bool(loss[-1] > MANYFOLD * np.abs(loss[: len(loss) // 2 + 1]).max() and np.all(np.diff(loss)[-3:] > 0))
    quarters = np.array_split(loss, 4)
    middles = np.array([np.median(q) for q in quarters])
    spreads = np.array([np.median(np.abs(q - m)) for q, m in zip(quarters, middles, strict=True)]) / NORMAL_MAD
    risen = middles[3] - middles[0] > SPREADS * max(spreads[0], EPS * abs(middles[0]))
    # a run from the optimum rises to the level of its noise within a few steps and stays there
    rising = middles[3] - middles[2] > 0 and middles[3] - middles[2] > 0.5 * (middles[2] - middles[0])
    return bool(risen and rising and middles[3] > 2 * abs(middles[0]) and np.mean(quarters[3] > middles[2]) > 0.75)


def _from_to(loss: Floats, digits: int = 6) -> str:
    return f"{loss[0]:.{digits}g} to {loss[-1]:.{digits}g}"


def _endless(case: _Case) -> str:
    shown = case.trace.loss
    finite = shown[np.isfinite(shown)]
    furthest = finite.max() if case.climbs else finite.min()
    way = "rises" if case.climbs else "falls"
    return (
        f"the loss {way} without end, to {furthest:.3g} by step {case.trace.steps:,}; "
        f"this objective has no {case.wanted} that way"
    )


def _growth(case: _Case) -> str:
    shown = case.trace.loss
    if case.climbs:
        return f"{case.moved}; the steps are too large"
    tail = shown[len(shown) // 2 :]
    sentence = f"the loss grew from {_from_to(shown, 4)} in {plural(case.made, 'step')}"
    if len(tail) > 2 and tail[0] > 0 and tail[-1] > tail[0] and not case.noisy:
        sentence += f", {(tail[-1] / tail[0]) ** (1 / (len(tail) - 1)):.4g} times a step at the end"
    return sentence


def _not_finite(case: _Case) -> Outcome:
    shown, at = case.trace.loss, int(case.trace.step[-1])
    if len(shown) == 1:
        what = f"the loss is {shown[0]:g}" if not math.isfinite(shown[0]) else f"the gradient is {case.size[0]:g}"
        return Outcome("failed", f"Failed: {what} at the start point; start where the objective is defined.")
    loss, before = case.loss, case.loss[:-1]
    first, reached = abs(before[0]), before[-1]
    if loss[-1] == -math.inf or reached / max(first, 1.0) < -1e12:
        way, side = ("rises", "above") if case.climbs else ("falls", "below")
        furthest = -before.min() if case.climbs else before.min()
        nothing = f"this objective has no {case.wanted} here"
        return Outcome("diverged", f"Diverged: the loss {way} without end, {side} {furthest:.3g} at step {at}; {nothing}.")
    if math.isinf(loss[-1]) or np.nanmax(np.abs(before)) > 1e6 * max(first, 1e-300):
        grew = "maximising, the loss fell" if case.climbs else "the loss grew"
        return Outcome("diverged", f"Diverged: {grew} from {shown[0]:.4g} and left the range of numbers at step {at}.")
    what = "loss" if not math.isfinite(loss[-1]) else "gradient"
    return Outcome(
        "failed",
        f"Failed: the {what} became nan at step {at}, after a loss of {shown[-2]:.4g} the step before; "
        "the point left the region where the objective is defined, and a smaller lr may keep it inside.",
    )


# -- neither --------------------------------------------------------------------------------------------------------------


def _stuck(case: _Case) -> Outcome | None:
    """What is to be said where the later half brought nothing that the earlier half had not reached."""
    loss, size = case.loss, case.size
    if case.noisy:
        if not _hovers(loss):
            return None
        level = f"the loss of the batches hovers about {np.median(case.trace.loss[len(loss) // 2 :]):.4g}"
        words = f"Step budget used: {plural(case.trace.steps, 'step')}, and {level}: the noise of the batches at this lr."
        return Outcome("step_budget", words)
    if not _brought_nothing(loss):
        return None
    if size[-1] <= SETTLED * np.max(size) and not _flips(case.trace):
        sizes = f"{size[-1]:.3g} of {np.max(size):.3g}"
        return _at_rest(case, f"the loss settled, and the gradient norm is down to {sizes}")
    return Outcome("stalled", f"Stalled: {_stuck_sentence(case)}.")


def _brought_nothing(loss: Floats) -> bool:
    if len(loss) < ENOUGH:
        return False
    half = len(loss) // 2
    early, late = loss[:half].min(), loss[half:].min()
    return bool(early - late <= 1e-6 * min(abs(loss[0] - early) + 1e-12 * abs(early), abs(early)))


def _hovers(loss: Floats) -> bool:
    """A noisy loss whose third and last quarter do not differ by more than their medians are uncertain."""
    if len(loss) < 4 * 4:
        return False
    third, last = np.array_split(loss, 4)[2:]
    spread = max(np.median(np.abs(q - np.median(q))) for q in (third, last)) / NORMAL_MAD
    return bool(abs(np.median(third) - np.median(last)) <= 3 * spread * math.sqrt(math.pi / len(last)))


def _stuck_sentence(case: _Case) -> str:
    loss, shown, half = case.loss, case.trace.loss, len(case.loss) // 2
    best = int(np.argmin(loss[:half]))
    side = "risen above" if case.climbs else "fallen below"
    sentence = f"the loss has not {side} {shown[best]:.6g} since step {int(case.trace.step[best]):,}"
    flips = _flips(case.trace)
    if flips:
        names = " and ".join(flips)
        sentence += f"; {names} changes sign at every step and shrinks no more"
    elif case.size[-1] > 1e-3 * np.max(case.size):
        sentence += f" while the gradient norm is still {case.size[-1]:.3g}"
    return sentence


def _flips(trace: Trace) -> list[str]:
    """Coordinates that change sign at nearly every step."""
    return [name for name, count in trace.sign_changes().items() if count >= 0.9 * (len(trace.loss) - 1)]


def _progress(case: _Case) -> str:
    if case.noisy and case.made >= 4 * 4:
        quarters = [np.median(q) for q in np.array_split(case.trace.loss, 4)]
        steps = plural(case.made, "step")
        return f"{steps} took the loss of the batches from about {quarters[0]:.4g} to about {quarters[3]:.4g}, in the median"
    sentence = case.moved
    if case.climbs or case.noisy or not case.loss[-1] < case.loss[0]:
        return sentence
    loss = case.loss
    tail = loss[-min(len(loss), max(4, len(loss) // 5)) :]
    rate = _trend(tail)
    if rate is None:
        later = loss[len(loss) // 2 :]
        if len(later) >= ENOUGH and np.mean(np.diff(later) > 0) > 0.25:
            sentence += f"; over the later half it went up and down between {later.min():.4g} and {later.max():.4g}"
    elif rate > 0:
        sentence += f", and it was still falling by {_percent(rate)} a step"
    else:
        sentence += ", and it was still falling"
    return sentence


def _trend(tail: Floats) -> float | None:
    """The share of itself that a loss loses a step; 0 where it falls and a share says nothing; None without a trend.

    A loss that goes up and down has a trend only if what it lost over the tail exceeds twice the size of its swings.
    """
    if len(tail) < 2 or not tail[-1] < tail[0]:
        return None
    positive = bool(tail.min() > 0)
    if np.all(np.diff(tail) <= 0):
        return float(1 - (tail[-1] / tail[0]) ** (1 / (len(tail) - 1))) if positive else 0.0
    level, steps = np.log(tail) if positive else tail, np.arange(len(tail))
    slope, start = np.polyfit(steps, level, 1)
    swings = float(np.ptp(level - start - slope * steps))
    if not -slope * (len(tail) - 1) > 2 * swings:
        return None
    return float(-np.expm1(slope)) if positive else 0.0


def _percent(fraction: float) -> str:
    value = 100 * fraction
    return f"{value:.0f}%" if value >= 10 else f"{value:.2g}%"
