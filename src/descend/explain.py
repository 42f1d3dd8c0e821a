"""Why a descent did what it did, and what to try instead: sentences made from its stability and its trace."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from descend.judging import plural
from descend.rules import Optimizer
from descend.schedules import Schedule
from descend.stability import (
    Stability,
    direction_name,
    is_quadratic,
    linear_map,
    spectral_radius,
    stability,
    steady_steps,
    steps_to,
    suggest_lr,
)
from descend.trace import Trace

__all__ = ["Explanation", "explain", "limit_sentence"]

#: "Solved" in what is predicted: the loss above its minimum is down to this part of what it was.
MILLIONTH = 1e-6


@dataclass
class Explanation:
    """What is told about one descent: the statement, why it went as it did, what to try."""

    statement: Stability
    why: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    #: A learning rate to try, where there is one to recommend.
    lr: float | None = None


def explain(goal: Any, optimizer: Any, trace: Trace, start: Any) -> Explanation:
    """Explain a trace. `start` is the point the descent started from, in the objective's own structure."""
    if not isinstance(optimizer, Optimizer):
        return Explanation(Stability("start", None, None, None, None, None), ["Nothing is predicted for foreign optimizers."])
    variables = trace.variables
    from descend.loop import trial_of

    trial = trial_of(goal, start, int(trace.config.get("steps", trace.steps)))
    first = stability(goal, optimizer, start, variables=variables, trial=trial)
    if first.curvature is None:
        return Explanation(first, ["The curvature is not known here, so nothing can be predicted."])
    if not (np.isfinite(trace.loss[0]) and np.isfinite(trace.grad_norm[0])):
        nothing = Stability("start", None, None, None, None, None)
        return Explanation(nothing, ["Nothing can be predicted from a point where the objective is not a number."])
    if optimizer.rule.kind == "linear":
        return _explain_linear(goal, optimizer, trace, start, first)
    return _explain_scaled(goal, optimizer, trace, first)


# -- rules linear in the gradient -----------------------------------------------------------------------------------------


def _explain_linear(goal: Any, optimizer: Optimizer, trace: Trace, start: Any, first: Stability) -> Explanation:
    found = first.curvature
    assert found is not None
    told = Explanation(first)
    quadratic = first.lr_limit is not None and is_quadratic(goal, start, found, first.lr_limit)
    where = "" if quadratic else f"At the start, {_place(trace)}, "
    if isinstance(optimizer.values.get("lr"), Schedule):
        told.why.append("The rate follows a schedule; what is said holds for its first value.")
    if not found.largest > 0:
        sentence = f"there is no upward curvature (the largest is {found.largest:.4g}), so nothing limits the learning rate"
        told.why.append(f"{where}{sentence} there." if where else f"{_capital(sentence)}.")
    else:
        sentence = limit_sentence(optimizer, first)
        told.why.append(where + sentence if where else _capital(sentence))
        told.why += _flattest(optimizer, first, trace)
    if not quadratic:
        told.why += _at_the_end(goal, optimizer, trace, first)
    _advise_linear(goal, optimizer, trace, first, quadratic, told)
    return told


def limit_sentence(optimizer: Optimizer, told: Stability) -> str:
    """`the steepest direction has curvature 6, so plain gradient descent is stable below 2/6 = 0.3333; 0.4 is …`"""
    assert told.sharpness is not None
    if told.lr_limit is None or told.ratio is None:
        return f"the steepest direction has curvature {told.sharpness:.4g}."
    lr = _rate(optimizer)
    factor = told.lr_limit * told.sharpness
    return (
        f"the steepest direction has curvature {told.sharpness:.4g}, so {plain_name(optimizer)} is stable below "
        f"{factor:.4g}/{told.sharpness:.4g} = {told.lr_limit:.4g}; {lr:.4g} is {told.ratio:.3g} times that: "
        f"{told.direction} {behaviour(optimizer, lr, told.sharpness)}."
    )


def plain_name(optimizer: Optimizer) -> str:
    """The optimizer as it stands in a sentence."""
    values = optimizer.hyperparameters
    if optimizer.name == "sgd":
        return "plain gradient descent"
    if values.get("momentum"):
        return f"{optimizer.rule.title if optimizer.name != 'momentum' else 'momentum'} with β = {values['momentum']:g}"
    return optimizer.rule.title


def behaviour(optimizer: Optimizer, lr: float, curvature: float) -> str:
    """What the amplitude along a direction does, from the eigenvalue that rules it."""
    values = np.linalg.eigvals(linear_map(optimizer, lr, curvature))
    ruling = values[int(np.argmax(np.abs(values)))]
    size = abs(ruling)
    if abs(size - 1) < 1e-9:
        return "bounces for ever, neither growing nor shrinking"
    if size > 1:
        return f"grows by {size:.4g} a step"
    if abs(ruling.imag) > 1e-9 * size:
        period = 2 * math.pi / abs(math.atan2(ruling.imag, ruling.real))
        return f"swings with a period of {period:.3g} steps and shrinks to {size:.4g} of itself a step"
    if ruling.real < 0:
        return f"changes sign at each step and shrinks to {size:.4g} of itself"
    return f"shrinks to {size:.4g} of itself a step" if size > 0 else "is at its lowest after one step"


def _flattest(optimizer: Optimizer, first: Stability, trace: Trace) -> list[str]:
    found = first.curvature
    assert found is not None
    lr = _rate(optimizer)
    if not found.exact or not 0 < found.smallest < 0.999 * found.largest or lr is None or first.ratio is None:
        return []
    name = direction_name(found.eigenvectors[:, 0], trace.variables)
    sentence = f"The flattest, {name}, has curvature {found.smallest:.4g}: it {behaviour(optimizer, lr, found.smallest)}"
    factor = float(spectral_radius(optimizer, lr, found.smallest))
    needed = steps_to(MILLIONTH, factor)
    if first.ratio < 1 and needed is not None and factor > 0.9:
        sentence += f", so a millionth of the loss takes {plural(needed, 'step')}"
    return [sentence + "."]


def _at_the_end(goal: Any, optimizer: Optimizer, trace: Trace, first: Stability) -> list[str]:
    """The curvature where it ended, where that differs and is worth telling."""
    if trace.outcome is None or trace.outcome.kind in ("diverged", "failed"):
        return []
    last = stability(goal, optimizer, trace.point, at="last", variables=trace.variables)
    if last.sharpness is None or last.lr_limit is None or first.sharpness is None:
        return []
    if abs(last.sharpness - first.sharpness) <= 0.05 * abs(first.sharpness):
        return []
    found, assert_lr = last.curvature, _rate(optimizer)
    sentence = f"Where it ended the curvature is {last.sharpness:.4g} and the limit {last.lr_limit:.4g}"
    if found is not None and found.exact and found.smallest > 0:
        ratio = found.largest / found.smallest
        factor = float(spectral_radius(optimizer, assert_lr, found.smallest))
        if ratio > 20 and factor < 1:
            name = direction_name(found.eigenvectors[:, 0], trace.variables)
            sentence += f"; along {name} it is {found.smallest:.3g}, {ratio:,.0f} times less"
            sentence += f", and shrinks to {factor:.5g} of itself a step"
    return [sentence + "."]


def _advise_linear(goal: Any, optimizer: Optimizer, trace: Trace, first: Stability, quadratic: bool, told: Explanation) -> None:
    suggestion = first.suggestion
    if suggestion is None or suggestion.limit is None:
        return
    lr = _rate(optimizer)
    if abs(lr / suggestion.lr - 1) < 0.15 and trace.outcome is not None and trace.outcome.kind != "diverged":
        told.advice.append(
            f"lr {lr:.4g} is already close to the best for {plain_name(optimizer)}, {suggestion.lr:g} ({suggestion.reason})."
        )
    else:
        told.lr = suggestion.lr
        told.advice.append(
            f"--lr {suggestion.lr:g}: {suggestion.reason}; {_promise(goal, optimizer, trace, suggestion, quadratic)}."
        )
    found = first.curvature
    if (
        optimizer.name == "sgd"
        and quadratic
        and found is not None
        and found.smallest > 0
        and found.largest > 20 * found.smallest
    ):
        told.advice.append(_advise_momentum(goal, trace, found))


def _promise(goal: Any, optimizer: Optimizer, trace: Trace, suggestion: Any, quadratic: bool) -> str:
    """What the suggested rate is predicted to do; where nothing can be predicted, what a trial run of it did."""
    if quadratic and suggestion.factor is not None:
        needed = steps_to(MILLIONTH, suggestion.factor)
        if needed is not None:
            part = f"predicted to shrink every direction to {suggestion.factor:.4g} of itself or less a step"
            return f"{part} and the loss to a millionth in {plural(needed, 'step')}"
    return _trial(goal, optimizer.with_values(lr=suggestion.lr), trace)


def _trial(goal: Any, optimizer: Optimizer, trace: Trace) -> str:
    from descend.loop import descend

    start = np.array(trace.config["start"]) if trace.config.get("start") else None
    steps = max(trace.steps, 1)
    tried = descend(goal, start, optimizer, steps=steps)
    kind = "" if tried.outcome is None else tried.outcome.kind
    if kind in ("diverged", "failed"):
        return f"a trial run of it {kind} as well, so go lower still"
    return f"a trial run of {plural(tried.steps, 'step')} took the loss from {tried.loss[0]:.4g} to {tried.loss[-1]:.4g}"


def _advise_momentum(goal: Any, trace: Trace, found: Any) -> str:
    from descend.optimizers import momentum

    suggestion = suggest_lr(goal, trace.points[0], momentum(), found=found)
    promise = ""
    if suggestion.factor is not None:
        needed = steps_to(MILLIONTH, suggestion.factor)
        promise = f", predicted to need {plural(needed, 'step')} for a millionth of the loss" if needed else ""
    spread = f"{found.largest / found.smallest:,.0f}-fold"
    return f"--optimizer momentum:lr={suggestion.lr:g}: the curvatures differ {spread}, which momentum evens out{promise}."


# -- adaptive and sign-like rules -----------------------------------------------------------------------------------------


def _explain_scaled(goal: Any, optimizer: Optimizer, trace: Trace, first: Stability) -> Explanation:
    last = first
    ended = trace.outcome is not None and trace.outcome.kind not in ("diverged", "failed")
    if ended:
        last = stability(goal, optimizer, trace.point, at="last", state=trace.state, variables=trace.variables)
        if last.sharpness is None:
            last = first
    told = Explanation(_with_suggestion(last, first))
    lr = _rate(optimizer)
    told.why.append(_own_steps(optimizer, trace, lr))
    if last.lr_limit is not None and last.at == "last" and last.ratio is not None:
        factor = last.lr_limit * (last.sharpness or math.nan)
        hovers = ": it hovers there and does not settle." if last.ratio > 1 else "."
        told.why.append(
            f"With its second moment held as it is at the last point, the preconditioned curvature is {last.sharpness:.4g} "
            f"(along {last.direction}) and the limit {factor:.4g}/{last.sharpness:.4g} = {last.lr_limit:.4g}; "
            f"{lr:.4g} is {last.ratio:.3g} times that{hovers}"
        )
    elif optimizer.rule.kind == "sign":
        told.why.append(f"It has no stability limit: it hovers within about {lr:.4g} of a minimum instead of settling.")
    _advise_scaled(goal, optimizer, trace, first, told)
    return told


def _own_steps(optimizer: Optimizer, trace: Trace, lr: float) -> str:
    """How long the steps of a rule that scales them are, as the rule itself makes them under a steady gradient."""
    title = optimizer.rule.title
    first, tenth = steady_steps(optimizer, trace.point)
    if min(first, tenth) >= 0.5 and max(first, tenth) <= 2:
        size = f"moves each coordinate by about lr = {lr:.4g} a step while its gradient keeps its sign"
        return f"{title} {size}, whatever the gradient's size."
    size = f"its first step moves it by {first * lr:.3g} and its tenth by {tenth * lr:.3g}"
    return f"{title} scales its own steps: while the gradient of a coordinate stays at 1, {size} (lr = {lr:.4g})."


def _with_suggestion(last: Stability, first: Stability) -> Stability:
    from dataclasses import replace

    return replace(last, lr_suggested=first.lr_suggested, suggestion=first.suggestion)


def _advise_scaled(goal: Any, optimizer: Optimizer, trace: Trace, first: Stability, told: Explanation) -> None:
    suggestion = first.suggestion
    lr = _rate(optimizer)
    if suggestion is None:
        return
    if 0.3 < lr / suggestion.lr < 3 and trace.outcome is not None and trace.outcome.kind != "diverged":
        return
    told.lr = suggestion.lr
    told.advice.append(
        f"--lr {suggestion.lr:g}: {suggestion.reason}; {_trial(goal, optimizer.with_values(lr=suggestion.lr), trace)}."
    )


def _rate(optimizer: Optimizer) -> float:
    lr = optimizer.hyperparameters.get("lr", math.nan)
    return float(lr(0)) if isinstance(lr, Schedule) else float(lr)


def _place(trace: Trace) -> str:
    if "point" not in trace or len(trace.variables) > 4:
        return "where it started"
    return ", ".join(f"{n} = {v:.4g}" for n, v in zip(trace.variables, trace.points[0], strict=True))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
