"""Schedules: a hyperparameter as a function of the number of updates made so far.

A schedule stands where a number could: `adam(lr=cosine(0.1, steps=1000))`, or `nesterov(momentum=one_cycle_momentum(1000))`. It
is evaluated outside the compiled loop, so that a new schedule never recompiles anything. The first update has step 0.

On the command line a schedule is written as it is here: `lr=cosine(0.1, steps=1000)`; `parse` reads it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, ParamSpec, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.errors import DescendError

__all__ = [
    "SCHEDULES",
    "Schedule",
    "constant",
    "cosine",
    "exponential",
    "inverse_sqrt",
    "linear",
    "multistep",
    "one_cycle",
    "one_cycle_momentum",
    "parse",
    "polynomial",
    "step_decay",
    "warm_restarts",
    "warm_up",
    "warm_up_stable_decay",
]

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]
Shape = Literal["cosine", "linear"]
Tail = Literal["linear", "cosine", "sqrt"]
Dialect = Literal["torch", "optax"]
P = ParamSpec("P")


@dataclass(frozen=True)
class Schedule:
    """A value per step. Calling it with a step, or an array of steps, gives float64 values of the same shape."""

    name: str
    function: Curve = field(compare=False)

    def __call__(self, step: ArrayLike) -> Floats:
        return np.asarray(self.function(np.asarray(step, dtype=np.float64)), dtype=np.float64)

    def __repr__(self) -> str:
        return self.name


#: Every kind of schedule by name: the command line, the documents and the tests read it.
SCHEDULES: dict[str, Callable[..., Schedule]] = {}


def schedule(make: Callable[P, Curve]) -> Callable[P, Schedule]:
    """Enter a kind of schedule in the registry. Its name and arguments become the schedule's text form."""
    signature, hints = inspect.signature(make), get_type_hints(make)

    @functools.wraps(make)
    def build(*args: P.args, **kwargs: P.kwargs) -> Schedule:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as problem:
            raise DescendError(f"{make.__name__}: {problem}; it is written {make.__name__}{_plain(signature)}") from None
        for name, value in bound.arguments.items():
            _check(make.__name__, name, value, hints[name])
        return Schedule(f"{make.__name__}({_written(signature, bound)})", make(*args, **kwargs))

    SCHEDULES[make.__name__] = build
    return build


def _plain(signature: inspect.Signature) -> str:
    parts = [n if p.default is p.empty else f"{n}={p.default}" for n, p in signature.parameters.items()]
    return f"({', '.join(parts)})"


def _written(signature: inspect.Signature, bound: inspect.BoundArguments) -> str:
    parts = []
    for i, (name, value) in enumerate(bound.arguments.items()):
        if value != signature.parameters[name].default:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            text = f"{value:.17g}" if number and float(f"{value:g}") != value else f"{value:g}" if number else f"{value}"
            parts.append(text if i == 0 else f"{name}={text}")
    return ", ".join(parts)


def _check(owner: str, name: str, value: Any, hint: Any) -> None:
    what = f"{owner}'s {name}"
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise DescendError(f"{what} is one of {', '.join(get_args(hint))}; got {value!r}")
    elif hint is bool:
        if not isinstance(value, bool):
            raise DescendError(f"{what} is true or false; got {value!r}")
    elif hint in (int, float):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
            raise DescendError(f"{what} is a finite number; got {value!r}")
        if hint is int and (value != int(value) or value < 1):
            raise DescendError(f"{what} is a whole number of steps, at least 1; got {value!r}")


@schedule
def constant(value: float) -> Curve:
    """The same value at every step.

    >>> constant(0.1)([0, 1, 2])
    array([0.1, 0.1, 0.1])
    """
    return lambda t: np.full_like(t, value)


@schedule
def step_decay(value: float, every: int, factor: float = 0.1) -> Curve:
    """Multiplied by `factor` after each `every` steps (torch's StepLR).

    >>> step_decay(1.0, every=2)([0, 1, 2, 3, 4])
    array([1.  , 1.  , 0.1 , 0.1 , 0.01])
    """
    return lambda t: value * factor ** np.floor(t / every)


@schedule
def multistep(value: float, at: Sequence[int], factor: float = 0.1) -> Curve:
    """Multiplied by `factor` at each of the steps in `at` (torch's MultiStepLR).

    >>> multistep(1.0, at=[2, 3])([0, 1, 2, 3])
    array([1.  , 1.  , 0.1 , 0.01])
    """
    if not isinstance(at, list | tuple) or not all(isinstance(s, int) and s >= 0 for s in at):
        raise DescendError(f"multistep's at is a list of steps, such as [300, 600]; got {at!r}")
    return lambda t: value * factor ** np.searchsorted(np.sort(at), t, side="right").astype(np.float64)


@schedule
def exponential(value: float, factor: float, every: int = 1) -> Curve:
    """Multiplied by `factor` over each `every` steps, smoothly (torch's ExponentialLR; optax's exponential_decay).

    >>> exponential(1.0, factor=0.5)([0, 1, 2])
    array([1.  , 0.5 , 0.25])
    """
    return lambda t: value * factor ** (t / every)


@schedule
def linear(value: float, steps: int, end: float = 0.0) -> Curve:
    """A straight line from `value` to `end` over `steps`, then flat (torch's LinearLR, with values instead of factors).

    >>> linear(1.0, steps=4)([0, 2, 4, 6])
    array([1. , 0.5, 0. , 0. ])
    """
    return lambda t: value + (end - value) * np.minimum(t / steps, 1.0)


@schedule
def polynomial(value: float, steps: int, power: float = 1.0, end: float = 0.0) -> Curve:
    """From `value` to `end` as (1 − t/steps)^power, then flat (torch's PolynomialLR, whose end is 0; optax's too).

    >>> polynomial(1.0, steps=4, power=2.0)([0, 2, 4, 6])
    array([1.  , 0.25, 0.  , 0.  ])
    """
    return lambda t: end + (value - end) * (1.0 - np.minimum(t / steps, 1.0)) ** power


@schedule
def cosine(value: float, steps: int, end: float = 0.0, rises: bool = False) -> Curve:
    """Half a cosine from `value` to `end` over `steps`, then flat, as optax and Keras do.

    torch's CosineAnnealingLR goes on and rises again after T_max: that is `rises=True`.

    >>> cosine(1.0, steps=2)([0, 1, 2, 3])
    array([1. , 0.5, 0. , 0. ])
    >>> cosine(1.0, steps=2, rises=True)([2, 3, 4])
    array([0. , 0.5, 1. ])
    """
    return lambda t: end + (value - end) * _fall(t / steps if rises else np.minimum(t / steps, 1.0))


@schedule
def warm_restarts(value: float, steps: int, growth: float = 1.0, end: float = 0.0) -> Curve:
    """Cosines from `value` to `end`, the first `steps` long, each `growth` times the last (Loshchilov & Hutter 2017).

    torch's CosineAnnealingWarmRestarts: the bottom itself is never taken, the next cosine starts in its place.

    >>> warm_restarts(1.0, steps=2)([0, 1, 2, 3])
    array([1. , 0.5, 1. , 0.5])
    """
    if growth < 1:
        raise DescendError(f"warm_restarts's growth is at least 1; got {growth:g}")

    def curve(t: Floats) -> Floats:
        if growth == 1:
            return end + (value - end) * _fall(np.mod(t, steps) / steps)
        # rounding can put a start just below a whole number: the cycle is settled by its start, not by the logarithm
        cycle = np.floor(np.log(t / steps * (growth - 1) + 1) / math.log(growth))
        cycle += steps * (growth ** (cycle + 1) - 1) / (growth - 1) <= t
        cycle -= steps * (growth**cycle - 1) / (growth - 1) > t
        since = t - steps * (growth**cycle - 1) / (growth - 1)
        return end + (value - end) * _fall(since / (steps * growth**cycle))

    return curve


@schedule
def warm_up(then: float | Schedule, steps: int, start: float = 0.0, from_one: bool = False) -> Curve:
    """A straight line from `start` to the first value of `then` over `steps`, and `then` from there on.

    The first update is made with `start` itself, as in optax's join_schedules and in transformers; `from_one=True` begins one
    step further up the line and so wastes no update on a rate of 0.

    >>> warm_up(cosine(1.0, steps=2), steps=4)([0, 1, 2, 3, 4, 5, 6])
    array([0.  , 0.25, 0.5 , 0.75, 1.  , 0.5 , 0.  ])
    """
    after = then if isinstance(then, Schedule) else constant(then)
    peak, ahead = float(after(0)), 1.0 if from_one else 0.0

    def curve(t: Floats) -> Floats:
        rising = start + (peak - start) * np.minimum((t + ahead) / steps, 1.0)
        return np.where(t < steps, rising, after(np.maximum(t - steps, 0.0)))

    return curve


@schedule
def one_cycle(
    value: float,
    steps: int,
    warm: float = 0.3,
    divide: float = 25.0,
    divide_end: float = 1e4,
    shape: Shape = "cosine",
    three_phase: bool = False,
    dialect: Dialect = "torch",
) -> Curve:
    """Up to `value` and down to almost nothing (Smith & Topin 2018), from `value/divide` to `value/divide/divide_end`.

    torch's OneCycleLR, which turns at `warm*steps − 1` and ends at `steps − 1`; optax's turns at `int(warm*steps)` and ends at
    `steps`: `dialect="optax"`. `three_phase` comes down as it went up and then falls to the end.

    >>> one_cycle(1.0, steps=11, warm=0.5, divide=10.0, shape="linear")([0, 10]).round(6)
    array([1.e-01, 1.e-05])
    """
    low = value / divide
    heights = [low, value, low, low / divide_end] if three_phase else [low, value, low / divide_end]
    return _phases(_turns(steps, warm, three_phase, dialect), heights, shape)


@schedule
def one_cycle_momentum(
    steps: int,
    low: float = 0.85,
    high: float = 0.95,
    warm: float = 0.3,
    shape: Shape = "cosine",
    three_phase: bool = False,
) -> Curve:
    """The momentum (or beta1) that goes with `one_cycle`: down to `low` while the rate rises, back to `high` as it falls.

    torch's OneCycleLR with cycle_momentum.

    >>> one_cycle_momentum(11, warm=0.5)([0, 10])
    array([0.95, 0.95])
    """
    heights = [high, low, high, high] if three_phase else [high, low, high]
    return _phases(_turns(steps, warm, three_phase, "torch"), heights, shape)


@schedule
def inverse_sqrt(value: float, steps: int) -> Curve:
    """A straight line from 0 to `value` over `steps`, then value·√(steps/t) (Vaswani et al. 2017; transformers' convention).

    >>> inverse_sqrt(1.0, steps=4)([0, 2, 4, 16])
    array([0. , 0.5, 1. , 0.5])
    """
    return lambda t: value * np.where(t < steps, t / steps, np.sqrt(steps / np.maximum(t, steps)))


@schedule
def warm_up_stable_decay(value: float, steps: int, warm: int, decay: int, end: float = 0.0, tail: Tail = "linear") -> Curve:
    """A line up over `warm` steps, flat, then down to `end` over the last `decay` of `steps` (Hu et al. 2024).

    The way down is a line, half a cosine, or `sqrt`: 1 − √(share of it done) (Hägele et al. 2024).

    >>> warm_up_stable_decay(1.0, steps=10, warm=2, decay=4)([0, 1, 2, 6, 8, 10])
    array([0. , 0.5, 1. , 1. , 0.5, 0. ])
    """
    if warm + decay > steps:
        raise DescendError(f"warm_up_stable_decay's warm and decay ({warm} + {decay}) must fit into its {steps} steps")
    falls: dict[str, Curve] = {"linear": lambda x: 1.0 - x, "cosine": _fall, "sqrt": lambda x: 1.0 - np.sqrt(x)}

    def curve(t: Floats) -> Floats:
        rising, falling = np.minimum(t / warm, 1.0), np.clip((t - (steps - decay)) / decay, 0.0, 1.0)
        return np.where(t < warm, value * rising, end + (value - end) * falls[tail](falling))

    return curve


def _fall(x: Floats) -> Floats:
    """Half a cosine from 1 at x = 0 to 0 at x = 1."""
    return (1.0 + np.cos(np.pi * x)) / 2.0


def _turns(steps: int, warm: float, three_phase: bool, dialect: Dialect) -> list[float]:
    if not 0 < warm < 1:
        raise DescendError(f"one_cycle's warm is a share of its steps between 0 and 1; got {warm:g}")
    if dialect == "optax":
        return [0.0, int(warm * steps), *([int(2 * warm * steps)] if three_phase else []), steps]
    return [0.0, warm * steps - 1, *([2 * warm * steps - 2] if three_phase else []), steps - 1]


def _phases(turns: Sequence[float], heights: Sequence[float], shape: Shape) -> Curve:
    def curve(t: Floats) -> Floats:
        value = np.full_like(t, heights[0])
        for a, b, high, low in zip(turns, turns[1:], heights, heights[1:], strict=False):
            share = np.minimum(np.maximum((t - a) / max(b - a, 1e-9), 0.0), 1.0)
            piece = low + (high - low) * (_fall(share) if shape == "cosine" else 1.0 - share)
            value = np.where(t > a, piece, value)
        return value

    return curve


# -- reading ---------------------------------------------------------------------------------------------------------------


def parse(text: str) -> Schedule:
    """The schedule a user wrote: a number, or a call such as `cosine(0.1, steps=1000)`; words need no quotes.

    Raises `DescendError` for anything else; nothing is evaluated.

    >>> parse("warm_up(cosine(0.1, steps=900), steps=100)")(100)
    array(0.1)
    """
    if len(text) > 500:
        raise DescendError(f"a schedule is at most 500 characters long; got {len(text)}")
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise DescendError(f"{text!r} is not a schedule; one is written like cosine(0.1, steps=1000)") from None
    read = _read(node, text)
    if isinstance(read, int | float) and not isinstance(read, bool):
        return constant(float(read))
    if not isinstance(read, Schedule):
        raise DescendError(f"{text!r} is not a schedule; one is written like cosine(0.1, steps=1000)")
    return read


def _read(node: ast.expr, text: str) -> Any:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Name(id=word):
            return {"true": True, "false": False}.get(word, word)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_read(item, text) for item in items]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if all(k.arg for k in keywords):
            if name not in SCHEDULES:
                near = get_close_matches(name, SCHEDULES, 1)
                known = ", ".join(SCHEDULES) + (f"; did you mean {near[0]}?" if near else "")
                raise DescendError(f"there is no schedule {name!r}; there are {known}")
            return SCHEDULES[name](*(_read(a, text) for a in args), **{str(k.arg): _read(k.value, text) for k in keywords})
    raise DescendError(f"a schedule takes numbers, words, lists and other schedules; {ast.unparse(node)!r} in {text!r} is none")
