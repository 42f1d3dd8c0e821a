"""Why a descent did what it did, and what to try instead: sentences made from its stability and its trace."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from descend.judging import plural
from descend.rules import Optimizer
from descend.schedules import Schedule
from descend.stability import (
    Stability,
    direction_name,
    is_quadratic,
    modes,
    spectral_radius,
    stability,
    steady_steps,
    steps_to,
    suggest_lr,
)
from descend.trace import Trace
from descend.trees import flatten

__all__ = ["Explanation", "explain", "limit_sentence"]

#: "Solved" in what is predicted: the loss above its minimum is down to this part of what it was.
MILLIONTH = 1e-6
#: Curvatures below this, on the size of one unit, are nobody's concern.
PLAIN = 1e-12
CLIPPED = (
    "Clipping bounds the gradient that is used, and so the step, at any rate; limits and rates per step, which hold for the "
    "rule without it, are not predicted."
)


@dataclass
class Explanation:
    """What is told about one descent: the statement, why it went as it did, what to try."""

    statement: Stability
    why: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    #: A learning rate to try, where there is one to recommend.
    lr: float | None = None


@dataclass(frozen=True)
class _Asked:
    """What is explained: the descent as one that minimises at a fixed rate, and the trace of what was run."""

    #: The objective, upside down where the optimizer maximises.
    goal: Any
    #: The rule without maximising, at its largest rate.
    rule: Optimizer
    #: The rule as it was run.
    optimizer: Optimizer
    trace: Trace
    start: Any

    @property
    def climbs(self) -> bool:
        return bool(self.optimizer.common.get("maximize"))

    @property
    def lr(self) -> float:
        return _rate(self.rule)

    @property
    def scheduled(self) -> bool:
        return isinstance(self.optimizer.hyperparameters.get("lr"), Schedule)

    @property
    def clipped(self) -> bool:
        return any(self.optimizer.common.get(name) for name in ("clip_value", "clip_norm", "clip_global_norm"))

    @property
    def decays(self) -> bool:
        return bool(self.optimizer.hyperparameters.get("weight_decay"))

    @property
    def kind(self) -> str:
        return "" if self.trace.outcome is None else self.trace.outcome.kind

    @property
    def failed(self) -> bool:
        return self.kind in ("diverged", "failed")

    @property
    def made(self) -> int:
        return max(self.trace.steps - int(self.trace.step[0]), 1)

    @property
    def loss(self) -> Any:
        return -self.trace.loss if self.climbs else self.trace.loss


def explain(goal: Any, optimizer: Any, trace: Trace, start: Any) -> Explanation:
    """Explain a trace. `start` is the point the descent started from, in the objective's own structure."""
    nothing = Stability("start", None, None, None, None, None)
    if not isinstance(optimizer, Optimizer):
        return Explanation(nothing, ["Nothing is predicted for foreign optimizers."])
    from descend.loop import trial_of

    if isinstance(start, list | tuple) and all(isinstance(v, int | float) for v in start):
        start = np.array(start, dtype=np.float64)
    asked = _asked(goal, optimizer, trace, start)
    trial = trial_of(asked.goal, start, int(trace.config.get("steps", trace.steps)))
    first = stability(asked.goal, asked.rule, start, variables=trace.variables, trial=trial)
    if asked.clipped:  # the limit is one of the rule without clipping
        first = replace(first, lr_limit=None, ratio=None, growth=None)
    if first.curvature is None:
        return Explanation(first, ["The curvature is not known here, so nothing can be predicted."])
    if not (np.isfinite(trace.loss[0]) and np.isfinite(trace.grad_norm[0])):
        return Explanation(nothing, ["Nothing can be predicted from a point where the objective is not a number."])
    moved = "update_norm" in trace and bool(np.any(trace["update_norm"]))
    if trace.grad_norm[0] == 0 and not moved:
        return Explanation(first, ["The gradient at the start is 0, so no learning rate moves it; another start does."])
    if asked.kind == "stalled" and float(np.abs(first.curvature.eigenvalues).max()) < PLAIN:
        return Explanation(first, ["The surface is flat where it started, so curvature tells nothing about the learning rate."])
    told = _explain_linear(asked, first) if optimizer.rule.kind == "linear" else _explain_scaled(asked, first)
    told.why = _premises(asked) + told.why
    return told


def _asked(goal: Any, optimizer: Optimizer, trace: Trace, start: Any) -> _Asked:
    rule = optimizer
    if optimizer.common.get("maximize"):
        fun = goal.fun
        goal = replace(goal, fun=lambda *p: -fun(*p), grad=None, minima=(), minimum=None, immutable=False)
        rule = rule.with_values(maximize=False)
    lr = optimizer.hyperparameters.get("lr")
    if isinstance(lr, Schedule):
        used = trace["lr"] if "lr" in trace and len(trace["lr"]) else lr(np.arange(max(trace.steps, 1)))
        largest = float(np.max(used))
        rule = rule.with_values(lr=largest if largest > 0 else float(np.max(lr(np.arange(1000)))))
    return _Asked(goal, rule, optimizer, trace, start)


def _premises(asked: _Asked) -> list[str]:
    """What has to be known to read the rest."""
    said = []
    if asked.climbs:
        said.append("Maximising f is minimising −f; the curvatures are those of −f.")
    if asked.scheduled:
        said.append(f"The rate follows a schedule; what is said holds for its largest value, {asked.lr:.4g}.")
    return said


# -- rules linear in the gradient -----------------------------------------------------------------------------------------


def _explain_linear(asked: _Asked, first: Stability) -> Explanation:
    found = first.curvature
    assert found is not None
    told = Explanation(first)
    limit = first.lr_limit if not asked.clipped else 1.0
    quadratic = limit is not None and is_quadratic(asked.goal, asked.start, found, limit)
    where = "" if quadratic else f"At the start, {_place(asked.trace)}, "
    if not found.largest > 0:
        sentence = f"there is no upward curvature (the largest is {found.largest:.4g}), so nothing limits the learning rate"
        told.why.append(f"{where}{sentence} there." if where else f"{_capital(sentence)}.")
    elif asked.clipped:
        told.why.append(CLIPPED)
    else:
        sentence = limit_sentence(asked.rule, first)
        told.why.append(where + sentence if where else _capital(sentence))
        told.why += _flattest(asked, first, quadratic)
    if not quadratic and not asked.clipped:
        told.why += _at_the_end(asked, first)
    _advise_linear(asked, first, quadratic, told)
    return told


def limit_sentence(optimizer: Optimizer, told: Stability) -> str:
    """`the steepest direction has curvature 6, so plain gradient descent is stable below 2/6 = 0.3333; 0.4 is …`"""
    assert told.sharpness is not None
    if told.lr_limit is None or told.ratio is None:
        return f"the steepest direction has curvature {told.sharpness:.4g}."
    lr = _rate(optimizer)
    factor = told.lr_limit * told.sharpness
    sentence = (
        f"the steepest direction has curvature {told.sharpness:.4g}, so {plain_name(optimizer)} is stable below "
        f"{factor:.4g}/{told.sharpness:.4g} = {told.lr_limit:.4g}; {lr:.4g} is {_share(told.ratio)} that"
    )
    if optimizer.reports_elsewhere:  # how the point that is reported moves is not how the rule's own does
        return f"{sentence}."
    return f"{sentence}: {told.direction} {behaviour(optimizer, lr, told.sharpness)}."


def _share(ratio: float) -> str:
    """`1.2 times`, and `exactly` where the two are one number."""
    return "exactly" if math.isclose(ratio, 1.0, rel_tol=1e-9) else f"{ratio:.3g} times"


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
    values = modes(optimizer, lr, curvature)
    ruling = values[int(np.argmax(np.abs(values)))]
    size = abs(ruling)
    if abs(size - 1) < 1e-9:
        if ruling.real > 0 and abs(ruling.imag) <= 1e-9:
            return "hardly changes: by less than a part in a thousand million a step"
        return "bounces for ever, neither growing nor shrinking"
    if math.isinf(size):
        return "leaves the range of numbers at once"
    if size > 1:
        return f"grows by {size:.4g} a step"
    if abs(ruling.imag) > 1e-9 * size:
        period = 2 * math.pi / abs(math.atan2(ruling.imag, ruling.real))
        return f"swings with a period of {period:.3g} steps and shrinks to {size:.4g} of itself a step"
    if ruling.real < 0:
        return f"changes sign at each step and shrinks to {size:.4g} of itself"
    return f"shrinks to {size:.4g} of itself a step" if size > 0 else "is at its lowest after one step"


def _flattest(asked: _Asked, first: Stability, quadratic: bool) -> list[str]:
    found, rule, lr = first.curvature, asked.rule, asked.lr
    assert found is not None
    if not found.exact or not 0 < found.smallest < 0.999 * found.largest or first.ratio is None or rule.reports_elsewhere:
        return []
    name = direction_name(found.eigenvectors[:, 0], asked.trace.variables)
    sentence = f"The flattest, {name}, has curvature {found.smallest:.4g}: it {behaviour(rule, lr, found.smallest)}"
    factor = float(spectral_radius(rule, lr, found.smallest))
    needed = steps_to(MILLIONTH, factor)
    known = quadratic and not asked.decays and not asked.scheduled
    if known and first.ratio < 1 and needed is not None and factor > 0.9:
        sentence += f", so its part of the loss takes about {plural(needed, 'step')} to a millionth"
    return [sentence + "."]


def _at_the_end(asked: _Asked, first: Stability) -> list[str]:
    """The curvature where it ended, where that differs and is worth telling."""
    if asked.failed or asked.trace.outcome is None:
        return []
    trace, rule = asked.trace, asked.rule
    last = stability(asked.goal, rule, trace.point, at="last", variables=trace.variables)
    if last.sharpness is None or last.lr_limit is None or first.sharpness is None:
        return []
    if abs(last.sharpness - first.sharpness) <= 0.05 * abs(first.sharpness):
        return []
    found = last.curvature
    sentence = f"Where it ended the curvature is {last.sharpness:.4g} and the limit {last.lr_limit:.4g}"
    if found is not None and found.exact and found.smallest > 0:
        ratio = found.largest / found.smallest
        factor = float(spectral_radius(rule, asked.lr, found.smallest))
        if ratio > 20 and factor < 1 and not rule.reports_elsewhere:
            name = direction_name(found.eigenvectors[:, 0], trace.variables)
            sentence += f"; along {name} it is {found.smallest:.3g}, {ratio:,.0f} times less"
            sentence += f", and the distance there shrinks to {factor:.5g} of itself a step"
    return [sentence + "."]


def _advise_linear(asked: _Asked, first: Stability, quadratic: bool, told: Explanation) -> None:
    suggestion = first.suggestion
    if suggestion is None or suggestion.limit is None:
        return
    close = abs(asked.lr / suggestion.lr - 1) < 0.15 and not asked.failed and not asked.scheduled
    rule = asked.rule.with_values(lr=suggestion.lr)
    if close:
        if suggestion.proven and quadratic and not asked.clipped and not asked.rule.reports_elsewhere:
            near = f"lr {asked.lr:.4g} is already close to the best for {plain_name(asked.rule)}"
            told.advice.append(f"{near}, {suggestion.lr:g} ({suggestion.reason}).")
    else:
        tried = _better(asked, rule)
        if tried is not None:
            told.lr = suggestion.lr
            reason = suggestion.reason + (" once clipping no longer acts" if asked.clipped else "")
            promise = _promise(asked, rule, suggestion, quadratic) or _tried(asked, tried)
            told.advice.append(f"--lr {suggestion.lr:g}: {reason}; {promise}.")
    found = first.curvature
    if asked.rule.name == "sgd" and quadratic and found is not None and found.largest > 20 * found.smallest > 0:
        told.advice += _advise_momentum(asked, found)


def _promise(asked: _Asked, rule: Optimizer, suggestion: Any, quadratic: bool) -> str:
    """What the suggested rate is predicted to do; nothing where that cannot be known from the curvature alone."""
    if not quadratic or asked.decays or asked.clipped or rule.name != "sgd" or suggestion.factor is None:
        return ""  # with memory the first steps do not shrink as the later ones do; what was tried says it
    needed = steps_to(MILLIONTH, suggestion.factor)
    if needed is None:
        return ""
    part = f"predicted to shrink every direction to {suggestion.factor:.4g} of itself or less a step"
    above = f"{'the distance of the loss from its maximum' if asked.climbs else 'the loss above its minimum'}"
    return f"{part} and {above} to a millionth in {plural(needed, 'step')}"


def _better(asked: _Asked, rule: Optimizer) -> Trace | None:
    """A trial run of as many steps as were made, where it ends lower than what was run; had that failed, than its start."""
    from descend.loop import descend

    if asked.failed and asked.loss[-1] < asked.loss[0]:
        return None  # it falls without end, at any rate
    tried = descend(asked.goal, asked.start, rule, steps=asked.made, seed=int(asked.trace.config.get("seed", 0)))
    if tried.outcome is None or tried.outcome.kind in ("diverged", "failed") or not math.isfinite(tried.loss[-1]):
        return None
    return tried if tried.loss[-1] < asked.loss[0 if asked.failed else -1] else None


def _tried(asked: _Asked, tried: Trace) -> str:
    loss = -tried.loss if asked.climbs else tried.loss
    return f"a trial run of {plural(tried.steps, 'step')} took the loss from {loss[0]:.4g} to {loss[-1]:.4g}"


def _advise_momentum(asked: _Asked, found: Any) -> list[str]:
    from descend.optimizers import momentum

    extra = {k: v for k, v in asked.rule.common.items() if k in asked.rule.stated}
    suggestion = suggest_lr(asked.goal, asked.start, momentum(**extra), found=found)
    tried = _better(asked, momentum(lr=suggestion.lr, **extra))
    if tried is None:
        return []
    spread = f"{found.largest / found.smallest:,.0f}-fold"
    why = f"the curvatures differ {spread}, which momentum evens out"
    options = extra | ({"maximize": "true"} if asked.climbs else {})
    written = "".join(f",{k}={v}" for k, v in options.items())
    return [f"--optimizer momentum:lr={suggestion.lr:g}{written}: {why}; {_tried(asked, tried)}."]


# -- adaptive and sign-like rules -----------------------------------------------------------------------------------------


def _explain_scaled(asked: _Asked, first: Stability) -> Explanation:
    trace, rule, last = asked.trace, asked.rule, first
    if not asked.failed and trace.outcome is not None and not asked.clipped:
        last = stability(asked.goal, rule, trace.point, at="last", state=trace.state, variables=trace.variables)
        if last.sharpness is None:
            last = first
    told = Explanation(_with_suggestion(last, first))
    lr = asked.lr
    told.why.append(_own_steps(asked, lr))
    if asked.clipped:
        told.why.append(CLIPPED)
    if last.lr_limit is not None and last.at == "last" and last.ratio is not None:
        # a run that converged has stopped moving: a limit below its rate would say the contrary
        if last.ratio <= 1 or asked.kind != "converged":
            told.why.append(_held_limit(last, lr))
    elif rule.rule.kind == "sign":
        told.why.append(_no_limit(asked))
    _advise_scaled(asked, first, told)
    return told


def _held_limit(last: Stability, lr: float) -> str:
    assert last.lr_limit is not None
    assert last.ratio is not None
    factor = last.lr_limit * (last.sharpness or math.nan)
    hovers = ": as it stands there, it does not settle." if last.ratio > 1 else "."
    return (
        f"With its second moment held as it is at the last point, the preconditioned curvature is {last.sharpness:.4g} "
        f"(along {last.direction}) and the limit {factor:.4g}/{last.sharpness:.4g} = {last.lr_limit:.4g}; "
        f"{lr:.4g} is {_share(last.ratio)} that{hovers}"
    )


def _no_limit(asked: _Asked) -> str:
    """Of a rule whose step ignores the size of the gradient, what it does near a minimum, as its own steps show."""
    none = "It has no stability limit"
    if asked.scheduled or asked.kind == "converged":
        return f"{none}."
    if _shrinks(asked.rule, asked.trace.point):
        return f"{none}, and need not hover: its steps shrink where the gradient turns round."
    return f"{none}: its steps do not shrink with the gradient, so near a minimum it hovers instead of settling."


def _shrinks(optimizer: Optimizer, point: Any) -> bool:
    """Whether the steps become shorter by themselves under a gradient that changes sign each time."""
    leaves, _ = flatten(point)
    at = [np.ones(np.shape(leaf)) for leaf in leaves]
    state, moved, values = optimizer.init_leaves(at), [], optimizer.at_step(0)
    with np.errstate(all="ignore"):
        for k in range(10):
            slope = [np.full(p.shape, (-1.0) ** k) for p in at]
            new, state = optimizer.step_leaves(at, slope, state, values)
            moved.append(max(float(np.abs(b - a).max(initial=0.0)) for a, b in zip(at, new, strict=True)))
            at = new
    return max(moved[-2:]) < 0.1 * max(moved[:2])


def _own_steps(asked: _Asked, lr: float) -> str:
    """How long the steps of a rule that scales them are, as the rule itself makes them under a steady gradient."""
    optimizer = asked.rule
    title = optimizer.rule.title
    first, tenth = steady_steps(optimizer, asked.trace.point)
    if min(first, tenth) >= 0.5 and max(first, tenth) <= 2:
        size = f"moves each coordinate by about lr = {lr:.4g} a step while its gradient keeps its sign"
        return f"{title} {size}, whatever the gradient's size."
    size = f"its first step moves it by {first * lr:.3g} and its tenth by {tenth * lr:.3g}"
    return f"{title} scales its own steps: while the gradient of a coordinate stays at 1, {size} (lr = {lr:.4g})."


def _with_suggestion(last: Stability, first: Stability) -> Stability:
    return replace(last, lr_suggested=first.lr_suggested, suggestion=first.suggestion)


def _advise_scaled(asked: _Asked, first: Stability, told: Explanation) -> None:
    suggestion = first.suggestion
    if suggestion is None or (0.3 < asked.lr / suggestion.lr < 3 and asked.kind != "diverged"):
        return
    tried = _better(asked, asked.rule.with_values(lr=suggestion.lr))
    if tried is not None:
        told.lr = suggestion.lr
        told.advice.append(f"--lr {suggestion.lr:g}: {suggestion.reason}; {_tried(asked, tried)}.")


def _rate(optimizer: Optimizer) -> float:
    lr = optimizer.hyperparameters.get("lr", math.nan)
    return float(lr(0)) if isinstance(lr, Schedule) else float(lr)


def _place(trace: Trace) -> str:
    if "point" not in trace or len(trace.variables) > 4:
        return "where it started"
    return ", ".join(f"{n} = {v:.4g}" for n, v in zip(trace.variables, trace.points[0], strict=True))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
