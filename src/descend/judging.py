"""How a descent ended, judged from its trace: one of five outcomes and a sentence a person can use."""

from __future__ import annotations

import math
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


def plural(count: int, noun: str) -> str:
    """`1 step`, `20 steps`, `10,000 steps`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def judge(trace: Trace, goal: Any, reason: str, budget: int, stop: Stop) -> Outcome:
    """The outcome of a descent that stopped for `reason` (empty: the step budget was used)."""
    loss, made = trace.loss, trace.steps
    if reason == "not finite":
        return _not_finite(trace)
    if reason == "growth":
        return Outcome("diverged", f"Diverged: {_growth(trace) if loss[-1] > 0 else _endless(trace)}; stopped there.")
    if reason == "gradient":
        size = trace.grad_norm[-1]
        return _at_rest(
            trace, goal, f"the gradient norm fell to {size:.3g} (tolerance {stop.tol_grad:g}) after {plural(made, 'step')}"
        )
    if reason == "loss":
        return _stopped_shrinking(trace, goal, stop)
    start = "" if reason != "interrupted" else f"Interrupted after {plural(made, 'step')}: "
    if _is_growing(loss):
        return Outcome("diverged", f"{start}Diverged: {_growth(trace)}.")
    if loss[-1] < -ENDLESS * max(abs(loss[0]), 1.0):
        return Outcome("diverged", f"{start}Diverged: {_endless(trace)}.")
    if _vanished(trace):
        return _at_rest(
            trace, goal, f"the gradient norm is down to {trace.grad_norm[-1]:.3g} after {plural(made, 'step')}", start
        )
    stuck = reason != "interrupted" and _is_stuck(loss)
    if stuck and trace.grad_norm[-1] <= SETTLED * np.max(trace.grad_norm) and not _flips(trace):
        sizes = f"{trace.grad_norm[-1]:.3g} of {np.max(trace.grad_norm):.3g}"
        return _at_rest(trace, goal, f"the loss settled, and the gradient norm is down to {sizes}")
    if stuck and goal.stochastic:
        level = f"the loss of the batches hovers about {np.median(loss[len(loss) // 2 :]):.4g}"
        return Outcome(
            "step_budget", f"Step budget used: {plural(made, 'step')}, and {level}: the noise of the batches at this lr."
        )
    if stuck:
        return Outcome("stalled", f"Stalled: {_stuck_sentence(trace)}.")
    return Outcome("step_budget", f"{start or 'Step budget used: '}{_progress_sentence(trace)}.")


def _not_finite(trace: Trace) -> Outcome:
    loss, at = trace.loss, int(trace.step[-1])
    if len(loss) == 1:
        what = f"the loss is {loss[0]:g}" if not math.isfinite(loss[0]) else f"the gradient is {trace.grad_norm[0]:g}"
        return Outcome("failed", f"Failed: {what} at the start point; start where the objective is defined.")
    before = loss[:-1]
    first, reached = abs(before[0]), before[-1]
    if loss[-1] == -math.inf or reached < -1e12 * max(first, 1.0):
        return Outcome(
            "diverged",
            f"Diverged: the loss falls without end, below {before.min():.3g} at step {at}; this objective has no minimum here.",
        )
    if math.isinf(loss[-1]) or np.nanmax(np.abs(before)) > 1e6 * max(first, 1e-300):
        return Outcome("diverged", f"Diverged: the loss grew from {before[0]:.4g} and left the range of numbers at step {at}.")
    what = "loss" if not math.isfinite(loss[-1]) else "gradient"
    return Outcome(
        "failed",
        f"Failed: the {what} became nan at step {at}, after a loss of {reached:.4g} the step before; "
        "the point left the region where the objective is defined, and a smaller lr may keep it inside.",
    )


def _at_rest(trace: Trace, goal: Any, why: str, start: str = "") -> Outcome:
    """Converged, unless the gradient vanished where the loss still falls in some direction, or above where it began."""
    from descend.stability import curvature_at

    found = curvature_at(goal, trace.point) if trace.variables else None
    if found is not None and found.exact and found.smallest < -1e-6 * max(abs(found.largest), 1e-300):
        direction = found.direction(trace.variables, smallest=True)
        return Outcome(
            "stalled",
            f"{start}Stalled at a saddle, not a minimum: {why}, but the curvature along {direction} is {found.smallest:.3g}.",
        )
    first, last = trace.loss[0], trace.loss[-1]
    if last > first + 1e-6 * abs(first):
        return Outcome(
            "stalled", f"{start}Stalled on a plateau: {why}, but the loss is {last:.6g}, above the {first:.6g} it started from."
        )
    return Outcome("converged", f"{start}Converged: {why}; loss {last:.6g}.")


def _stopped_shrinking(trace: Trace, goal: Any, stop: Stop) -> Outcome:
    why = f"the loss changed by no more than {stop.tol_loss:g} three times in a row by step {trace.steps:,}"
    if trace.grad_norm[-1] <= 1e-2 * np.max(trace.grad_norm):
        return _at_rest(trace, goal, f"{why} and the gradient norm is {trace.grad_norm[-1]:.3g}")
    return Outcome(
        "stalled",
        f"Stalled: {why}, yet the gradient norm is still {trace.grad_norm[-1]:.3g}: "
        "the steps are too small, or too large and cancel.",
    )


def _is_growing(loss: Floats) -> bool:
    """Ends above where it began, having risen over its later part."""
    if len(loss) < 2 or not loss[-1] > loss[0] + 1e-9 * max(abs(loss[0]), 1e-300):
        return False
    later = loss[len(loss) // 2 :]
    if len(later) < 3:
        return bool(loss[-1] > loss[0])
    half = len(later) // 2
    return bool(later[half:].max() > later[:half].max() and later[half:].mean() > later[:half].mean())


def _endless(trace: Trace) -> str:
    lowest = np.nanmin(np.where(np.isfinite(trace.loss), trace.loss, np.nan))
    return f"the loss falls without end, to {lowest:.3g} by step {trace.steps:,}; this objective has no minimum that way"


def _growth(trace: Trace) -> str:
    loss, made = trace.loss, trace.steps - int(trace.step[0])
    tail = loss[len(loss) // 2 :]
    sentence = f"the loss grew from {loss[0]:.4g} to {loss[-1]:.4g} in {plural(made, 'step')}"
    if len(tail) > 2 and tail[0] > 0 and tail[-1] > tail[0]:
        sentence += f", {(tail[-1] / tail[0]) ** (1 / (len(tail) - 1)):.4g} times a step at the end"
    return sentence


def _vanished(trace: Trace) -> bool:
    sizes = trace.grad_norm
    return bool(sizes[-1] <= VANISHED * np.max(sizes)) or sizes[-1] == 0


def _is_stuck(loss: Floats) -> bool:
    """The later half brought nothing that the earlier half had not reached."""
    if len(loss) < ENOUGH:
        return False
    half = len(loss) // 2
    early, late = loss[:half].min(), loss[half:].min()
    return bool(early - late <= 1e-6 * min(abs(loss[0] - early) + 1e-12 * abs(early), abs(early)))


def _stuck_sentence(trace: Trace) -> str:
    loss, half = trace.loss, len(trace.loss) // 2
    sentence = (
        f"the loss has not fallen below {loss[:half].min():.6g} since step {int(trace.step[int(np.argmin(loss[:half]))]):,}"
    )
    flips = _flips(trace)
    if flips:
        names = " and ".join(flips)
        sentence += f"; {names} changes sign at every step and shrinks no more"
    elif trace.grad_norm[-1] > 1e-3 * np.max(trace.grad_norm):
        sentence += f" while the gradient norm is still {trace.grad_norm[-1]:.3g}"
    return sentence


def _flips(trace: Trace) -> list[str]:
    """Coordinates that change sign at nearly every step."""
    return [name for name, count in trace.sign_changes().items() if count >= 0.9 * (len(trace.loss) - 1)]


def _progress_sentence(trace: Trace) -> str:
    loss, made = trace.loss, trace.steps - int(trace.step[0])
    sentence = f"{plural(made, 'step')} took the loss from {loss[0]:.6g} to {loss[-1]:.6g}"
    tail = loss[-min(len(loss), max(4, len(loss) // 5)) :]
    if len(tail) < 2 or not loss[-1] < loss[0]:
        return sentence
    floor = min(0.0, float(loss.min()) - 1.0) if loss.min() <= 0 else 0.0
    if floor == 0.0 and tail[0] > tail[-1] > 0:
        per_step = 1 - (tail[-1] / tail[0]) ** (1 / (len(tail) - 1))
        sentence += f", and it was still falling by {_percent(per_step)} a step"
    elif tail[-1] < tail[0]:
        sentence += ", and it was still falling"
    return sentence


def _percent(fraction: float) -> str:
    value = 100 * fraction
    return f"{value:.0f}%" if value >= 10 else f"{value:.2g}%"
