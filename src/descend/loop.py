"""`descend(...)`: the one driver. Objective, start, optimizer and stop rule go in; a Trace comes out."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from descend.again import PATIENCE, find, keep
from descend.book import Account, Book, Made
from descend.engine import Engine, JaxEngine
from descend.errors import DescendError
from descend.judging import judge
from descend.objectives import Objective, resolve
from descend.rules import Optimizer, Rule, State
from descend.schedules import Schedule
from descend.starting import POINT_LIMIT, plain_point, seed_number, start_arrays, why_not_jax
from descend.steady import steady
from descend.stepwise import PythonEngine, jax_gradient, torch_gradient
from descend.stopping import Stop
from descend.trace import Column, Trace
from descend.trees import flatten

__all__ = ["descend", "trial_of"]

#: Without an explicit number of steps: this budget, this gradient tolerance, and this growth counts as divergence.
DEFAULT_STEPS = 1000
MOST_STEPS = 10_000_000_000
DEFAULT_TOL_GRAD = 1e-6
DEFAULT_GROWTH = 1e6

Progress = Callable[[Trace], Any]


def descend(
    objective: Any,
    start: Any = None,
    optimizer: Optimizer | Rule | Any = None,
    *,
    steps: int | None = None,
    tol_grad: float | None = None,
    tol_loss: float | None = None,
    grad: Any = None,
    seed: int | None = None,
    callback: Progress | None = None,
    resume: Trace | str | os.PathLike[str] | None = None,
    name: str = "",
) -> Trace:
    """Run gradient descent and return its Trace.

    Parameters
    ----------
    objective
        What is minimised: an expression (`"x**2 + 3*y**2"`), a surface's name (`"rosenbrock"`), `"file.py:function"`, an
        `Objective`, or any function of the parameters that JAX can differentiate.
    start
        Where it starts: numbers, an array, or any tree of arrays. float64 unless the arrays are of a narrower type.
    optimizer
        `ds.sgd(lr=0.1)`, `ds.adam(lr=0.1)`, …; by default `sgd`. Where no `lr` is stated the predicted one is used
        (`trace.config["lr_predicted"]`).
    steps
        Number of updates. Given without tolerances, all of them are made unless a value stops being finite. By default up
        to 1000, until the gradient norm is below 1e-6 or the loss has grown a millionfold.
    tol_grad, tol_loss
        Stop when the gradient norm is at most `tol_grad`; when the loss changed by at most `tol_loss` three times in a row.
    grad
        The gradient, for a function that cannot be differentiated automatically: same argument, same shape.
    callback
        Called with the trace so far after each chunk of steps (some tenths of a second). Returning False stops.
    resume
        A trace to go on from: same objective, its last point, its optimizer state, its step count.

    Returns
    -------
    Trace
        `loss`, `grad_norm` and `points` have one row more than updates were made: row 0 is the start.
        An interrupt (Ctrl-C) returns the trace so far.

    Raises
    ------
    DescendError
        For input that cannot work: unknown names, a start of the wrong length, a rate that is not positive.

    Examples
    --------
    >>> import descend as ds
    >>> trace = ds.descend("x**2 + 3*y**2", [4, 3], ds.sgd(lr=0.1), steps=20)
    >>> trace.loss[:4].round(4)
    array([43.    , 14.56  ,  7.2448,  4.3049])
    >>> trace.outcome.kind
    'step_budget'
    """
    plain = grad is None and callback is None and resume is None and tol_grad is None and tol_loss is None
    key, before = find(objective, optimizer, steps, seed) if plain else (None, None)
    options = (grad, seed, callback, resume)
    try:
        trace = None if before is None else before(start, name)
    except KeyboardInterrupt:
        return _descended(objective, start, optimizer, steps, tol_grad, tol_loss, *options, name, None, interrupted=True)
    if trace is not None:
        return trace
    return _descended(objective, start, optimizer, steps, tol_grad, tol_loss, *options, name, key)


def _descended(
    objective: Any,
    start: Any,
    optimizer: Any,
    steps: int | None,
    tol_grad: float | None,
    tol_loss: float | None,
    grad: Any,
    seed: int | None,
    callback: Progress | None,
    resume: Trace | str | os.PathLike[str] | None,
    name: str,
    key: Any,
    *,
    interrupted: bool = False,
) -> Trace:
    """The descent, looked at from the ground up; found again under `key` next time."""
    goal = resolve(objective, grad=grad)
    resume = _loaded(resume)
    explicit = steps is not None
    budget = _whole(steps, "steps") if steps is not None else DEFAULT_STEPS
    if seed is None:
        seed = 0 if resume is None else resume.config.get("seed", 0)
    seed = seed_number(seed)
    leaves, rebuild, variables = start_arrays(goal, start, resume)
    if not goal.immutable:
        key = None if isinstance(objective, str) else key  # the file it names may be another one tomorrow
        goal = steady(goal, leaves, rebuild)
    chosen, predicted = _optimizer(goal, rebuild(leaves), optimizer, resume, budget)
    stop = _stop_rule(explicit, tol_grad, tol_loss)
    if resume is not None and "grad_norm" in resume:
        stop = stop.from_gradient(float(resume.grad_norm[0]))
    state = _resumed_state(chosen, resume)
    engine = _engine(goal, leaves, rebuild, chosen, state, seed)
    book = Book(stop, engine.t)

    config = {
        "optimizer": chosen.name,
        "hyperparameters": {k: repr(v) if isinstance(v, Schedule) else v for k, v in chosen.hyperparameters.items()},
        "masked": getattr(chosen, "mask", None) is not None,
        "lr_predicted": predicted,
        "steps": budget,
        "tol_grad": None if stop.tol_grad < 0 else stop.tol_grad,
        "tol_loss": None if stop.tol_loss < 0 else stop.tol_loss,
        "seed": seed,
        "dtype": str(leaves[0].dtype),
        "engine": engine.name,
    }
    notes = (*_remarks(engine, goal, resume), *_shape_remark(chosen, leaves))
    account = Account(goal, chosen, rebuild, variables, budget, config, notes)
    begun = plain_point(leaves, variables)

    def so_far(reason: str) -> Trace:
        rows = book.rows(None if book.closed else engine.peek())
        trace = Trace.later(Made(account, begun, rows, book.first, engine.ending(), book.stop, reason, name))
        if resume is not None:
            trace = _joined(resume, trace)
            trace.outcome = judge(trace, goal, reason, budget, book.stop)
        elif not goal.immutable:  # what it is judged by may be another function tomorrow
            trace.outcome  # noqa: B018
        return trace

    reason = "interrupted" if interrupted else _drive(engine, book, budget, callback, so_far)
    one_array = len(leaves) == 1 and rebuild(leaves) is leaves[0] and leaves[0].ndim == 1
    if key is not None and one_array and not predicted and not reason:

        def long(numbers: list[float], other: str) -> Trace:
            return _descended(goal, np.array(numbers), chosen, steps, None, None, None, seed, None, None, other, None)

        keep(key, account, engine, long)
    return so_far(reason)


def _drive(engine: Engine, book: Book, budget: int, callback: Progress | None, so_far: Callable[[str], Trace]) -> str:
    """Advance in chunks of a length that answers quickly, until the budget, a stop rule or an interrupt."""
    chunk, reason = _first_chunk(engine), ""
    try:
        while book.made < budget:
            begun = time.perf_counter()
            n = min(chunk, budget - book.made)
            last = n == budget - book.made
            reason = book.add(engine.advance(n, last=last), last)
            if reason and book.last_kept < n:
                engine.rewind(book.last_kept)
                return reason
            spent = max(time.perf_counter() - begun, 1e-6)
            if isinstance(engine, JaxEngine):
                engine.pace = spent / n
            chunk = max(1, min(engine.capacity, int(chunk * min(PATIENCE / spent, 64))))
            if callback is not None and callback(so_far(reason)) is False:
                return "interrupted"
    except KeyboardInterrupt:
        if engine.t != book.first + book.made:  # in the midst of a chunk: back to its first point
            engine.rewind(0)
        return "interrupted"
    return reason


def _first_chunk(engine: Engine) -> int:
    """Steps to begin with: as many as a program that ran before makes in good time, else a guess by its size."""
    if not isinstance(engine, JaxEngine):
        return 1
    if math.isfinite(engine.pace):
        return max(1, min(engine.capacity, int(PATIENCE / engine.pace)))
    return 4096 if engine.size <= 64 and engine.data_size <= 10_000 else 8


# -- preparing ------------------------------------------------------------------------------------------------------------


def _whole(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise DescendError(f"{what} must be a whole number of at least 1; got {value!r}")
    if value > MOST_STEPS:
        raise DescendError(f"{what} must be at most {MOST_STEPS:,}; got {value!r}")
    return int(value)


def _loaded(resume: Any) -> Trace | None:
    """The trace to go on from: one in memory, or a file it was saved to."""
    if resume is None:
        return None
    if isinstance(resume, str | os.PathLike):
        return Trace.load(resume)
    if not isinstance(resume, Trace):
        raise DescendError(f"resume is a Trace or the file it was saved to; got {type(resume).__name__}")
    return resume


def _stop_rule(explicit: bool, tol_grad: float | None, tol_loss: float | None) -> Stop:
    for name, value in (("tol_grad", tol_grad), ("tol_loss", tol_loss)):
        if value is not None and not (isinstance(value, int | float | np.number) and 0 <= float(value) < math.inf):
            raise DescendError(f"{name} must be a finite number of at least 0; got {value}")
    if explicit and tol_grad is None and tol_loss is None:
        return Stop()
    if tol_grad is None and tol_loss is None:
        return Stop(DEFAULT_TOL_GRAD, growth=DEFAULT_GROWTH, relative=True)
    return Stop(
        -1.0 if tol_grad is None else float(tol_grad),
        -1.0 if tol_loss is None else float(tol_loss),
        growth=math.inf if explicit else DEFAULT_GROWTH,
    )


def _optimizer(goal: Objective, start: Any, optimizer: Any, resume: Trace | None, budget: int) -> tuple[Any, bool]:
    """The optimizer to use, and whether its learning rate had to be predicted."""
    if optimizer is None:
        optimizer = _default_optimizer(resume)
    chosen = optimizer() if isinstance(optimizer, Rule) else optimizer
    if not isinstance(chosen, Optimizer):
        return _foreign(chosen), False
    if "lr" not in chosen.rule.hyperparameters or "lr" in chosen.stated:
        return chosen, False
    from descend.stability import suggest_lr

    return chosen.with_values(lr=suggest_lr(goal, start, chosen, trial=trial_of(goal, start, budget)).lr), True


def _default_optimizer(resume: Trace | None) -> Any:
    """Plain gradient descent, or the optimizer a resumed trace was made with."""
    from descend.optimizers import sgd
    from descend.rules import OPTIMIZERS, optimizer_named

    if resume is None:
        return sgd
    known = resume.config.get("optimizer") in OPTIMIZERS and not resume.config.get("masked")
    if not known:
        raise DescendError("this trace does not hold its whole optimizer (a mask, groups or another library's); state it again")
    return _as_before(optimizer_named(resume.config["optimizer"]), resume.config["hyperparameters"])


def trial_of(goal: Objective, start: Any, steps: int) -> Callable[[Optimizer], bool]:
    """A test for rates: whether a descent with the optimizer ends no higher than it began, nor below any minimum there is."""

    def stays(optimizer: Optimizer) -> bool:
        trace = descend(goal, start, optimizer, steps=min(steps, DEFAULT_STEPS), tol_grad=DEFAULT_TOL_GRAD)
        assert trace.outcome is not None
        if trace.outcome.message.startswith("Interrupted"):
            raise KeyboardInterrupt
        first, last = trace.loss[0], trace.loss[-1]
        room = 1e-9 * max(abs(first), 1.0)
        lowest = -math.inf if goal.minimum is None else goal.minimum - room
        endless = goal.minimum is None and last < first  # there is no minimum to overshoot
        kept = endless or trace.outcome.kind not in ("diverged", "failed")
        return kept and bool(lowest <= last <= first + room)

    return stays


def _as_before(rule: Rule, values: Mapping[str, Any]) -> Optimizer:
    """The optimizer a trace was made with: its schedules were written down as text."""
    from descend.schedules import parse

    return rule(**{k: parse(v) if isinstance(v, str) and "(" in v else v for k, v in values.items()})


def _foreign(optimizer: Any) -> Any:
    """Another library's optimizer, wrapped."""
    if isinstance(optimizer, str | int | float | Mapping):
        raise DescendError(f"an optimizer is a rule with its hyperparameters, such as adam(lr=0.1); got {optimizer!r:.80}")
    from descend.foreign import as_descend_optimizer

    return as_descend_optimizer(optimizer)


def _resumed_state(optimizer: Any, resume: Trace | None) -> State | None:
    if resume is None:
        return None
    if resume.state is None:
        raise DescendError("this trace has no optimizer state to resume from; save it as .npz or .json with descend")
    before = resume.config.get("hyperparameters", {})
    state: State = resume.state
    changed = any(before.get(k) != v for k, v in optimizer.hyperparameters.items() if not isinstance(v, Schedule))
    return optimizer.rebuilt(state) if changed else state


def _engine(goal: Objective, leaves: list[Any], rebuild: Any, optimizer: Any, state: State | None, seed: int) -> Engine:
    size = sum(leaf.size for leaf in leaves)
    points = size <= POINT_LIMIT
    if goal.backend != "jax" or goal.grad is not None or getattr(optimizer, "backend", "any") == "torch":
        state = optimizer.init_leaves(leaves) if state is None else state
        return PythonEngine(_python_gradient(goal, rebuild), optimizer, leaves, state, points=points)
    try:
        return JaxEngine(goal, rebuild, optimizer, leaves, state, points=points, seed=seed)
    except DescendError:
        raise
    except Exception as error:
        wide = any(leaf.dtype == np.float64 for leaf in leaves)
        reason = why_not_jax(goal, rebuild(leaves), wide, error)
        if reason is None:  # an error of the user's own function: its traceback says more than a sentence of ours
            raise
        raise DescendError(reason) from error


def _python_gradient(goal: Objective, rebuild: Any) -> Callable[[list[Any]], tuple[float, list[Any]]]:
    """Value and gradient on NumPy arrays, from the author's gradient or from torch."""
    if goal.grad is not None:
        author = goal.grad

        def from_author(leaves: list[Any]) -> tuple[float, list[Any]]:
            params = rebuild(leaves)
            value = goal.fun(params)
            if np.size(value) != 1:
                raise DescendError(f"{goal.name} must return one number; it returned shape {np.shape(value)}")
            grads, _ = flatten(author(params))
            return float(np.asarray(value).reshape(())), [np.asarray(g) for g in grads]

        return from_author
    if goal.backend == "jax":
        if goal.stochastic:
            raise DescendError("minibatches need one of descend's or optax's optimizers; torch's see whole gradients only")
        return jax_gradient(goal.fun, rebuild)
    return torch_gradient(goal.fun, rebuild)


def _joined(before: Trace, after: Trace) -> Trace:
    """One trace of the earlier steps and the new ones; the point they share is told once, as the new steps saw it."""
    columns = {}
    for name, new in after.columns.items():
        old = before.columns.get(name)
        kept = old.step < (new.step[0] if len(new) else math.inf) if old is not None else None
        columns[name] = new
        if old is not None and kept is not None:
            columns[name] = Column(np.concatenate([old.step[kept], new.step]), np.concatenate([old.value[kept], new.value]))
    return after.replace(columns=columns, config=after.config | {"start": before.config.get("start")})


def _remarks(engine: Engine, goal: Objective, resume: Trace | None) -> tuple[str, ...]:
    """What should be known about the numbers themselves."""
    before = goal.text if resume is None else resume.config.get("objective")
    other = () if before == goal.text else (f"the earlier steps were made on another objective, {before}",)
    if not isinstance(engine, JaxEngine) or not engine.narrow:
        return other
    narrow = list(dict.fromkeys(engine.narrow))[:3]
    told = ", ".join(f"{value:.9g}" for value in narrow)
    return (
        *other,
        f"this float64 objective holds single-precision constants ({told}), so its digits end where theirs do",
    )


def _shape_remark(optimizer: Any, leaves: list[Any]) -> tuple[str, ...]:
    """A rule that scales each array by its own norm, on vectors alone: allowed, and seldom what was wanted."""
    if not (isinstance(optimizer, Optimizer) and optimizer.rule.whole_array) or any(leaf.ndim > 1 for leaf in leaves):
        return ()
    return (
        f"{optimizer.name} scales each array as a whole, by its own norm; here that is a vector, so its coordinates share it",
    )
