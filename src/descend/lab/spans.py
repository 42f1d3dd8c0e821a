"""From what a page says of a map to a plane's arguments and one of its descents, within bounds; and back to words.

{"objective": "ellipse", "optimizer": {"name": "momentum", "values": {}}, "start": null, "steps": 200, "by": "rate",
 "x": {"name": "lr", "low": 0.005, "high": 0.7, "scale": "linear"}, "y": {…}, "size": 512, "dtype": null}
"""

from __future__ import annotations

import keyword
import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.figures.planemap import BY
from descend.grouping import groups
from descend.hyperparameters import COMMON, Hyperparameter
from descend.lab.descents import MOST_STEPS, objective_of, optimizer_of
from descend.loop import descend as run
from descend.objectives import NETWORKS, Objective, resolve
from descend.planes import Axis, linspace, logspace
from descend.planes.axes import precision
from descend.rules import Optimizer
from descend.trace import Trace

__all__ = ["LARGEST", "MOST_WORK", "Chart", "Span", "chart", "goal_named"]

#: Descents along an axis; steps of all descents together, a network's counting NETWORK times.
LARGEST, MOST_WORK, NETWORK = 1024, 3e9, 100


@dataclass(frozen=True)
class Span:
    """One axis as a page states it."""

    name: str
    low: float
    high: float
    scale: str
    count: int

    @property
    def axis(self) -> Axis:
        return (logspace if self.scale == "log" else linspace)(self.low, self.high, self.count)

    @property
    def command(self) -> str:
        return f"{self.name}={_exact(self.low)}:{_exact(self.high)}" + (":log" if self.scale == "log" else "")

    @property
    def python(self) -> str:
        made = f"ds.{self.scale.replace('linear', 'lin')}space({_exact(self.low)}, {_exact(self.high)}, {self.count})"
        taken = {"objective", "start", "optimizer", "steps", "tol", "dtype", "memory", "callback", "store"}
        plain = self.name.isidentifier() and not keyword.iskeyword(self.name) and self.name not in taken
        return f"{self.name}={made}" if plain else f'**{{"{self.name}": {made}}}'


@dataclass(frozen=True)
class Chart:
    """A map as the library takes it: `plane(chart.goal, chart.start, chart.optimizer, **chart.options, **chart.axes)`."""

    text: str
    goal: Objective
    optimizer: Optimizer
    start: Any
    steps: int
    tol: float
    spans: tuple[Span, Span]
    by: str
    dtype: str | None

    @property
    def axes(self) -> dict[str, Axis]:
        return {span.name: span.axis for span in self.spans}

    @property
    def key(self) -> tuple[Any, ...]:
        """What the results depend on."""
        values = tuple(sorted((k, str(v)) for k, v in self.optimizer.hyperparameters.items()))
        return (self.text, self.optimizer.name, values, str(self.start), self.steps, self.tol, self.spans, self.dtype)

    @property
    def wide(self) -> bool:
        """Whether the plane is computed in float64."""
        return precision(self.dtype, self.axes) == np.float64

    # -- one of its descents

    def placed(self, at: tuple[float, float]) -> tuple[Any, Optimizer, dict[str, float]]:
        """Start and optimizer of the descent at a point of the map, and every hyperparameter that the axes do not state."""
        start, optimizer = self.start_tree(), self.optimizer
        leafwise: dict[str, dict[str, float]] = {}
        stated: dict[str, float] = {}
        for span, value in zip(self.spans, at, strict=True):
            kind, where = target(self.goal, optimizer, span.name)
            if kind == "start":
                start[where] = value
            elif kind == "leaf":
                leafwise.setdefault(where[1], {})[where[0]] = value
            else:
                stated[span.name] = value
        optimizer = optimizer.with_values(**stated)
        fixed = {k: v for k, v in optimizer.hyperparameters.items() if k not in {s.name for s in self.spans}}
        if leafwise:
            every = [set(leafwise.get(leaf, {})) for leaf in start]
            fixed = {k: v for k, v in fixed.items() if not all(k in own for own in every)}
            own = {leaf: optimizer.with_values(**leafwise.get(leaf, {})) for leaf in start}
            return start, groups({leaf: leaf for leaf in start}, **own), fixed
        return start, optimizer, fixed

    def start_tree(self) -> Any:
        """The start in the plane's precision, new at each call: an array, or a dictionary of them."""
        kind = np.float64 if self.wide else np.float32
        if isinstance(self.start, Mapping):
            return {k: np.array(v, kind) for k, v in self.start.items()}
        return np.array(self.start, kind)

    def trace(self, at: tuple[float, float]) -> Trace:
        """The descent at a point of the map, in the plane's precision."""
        start, optimizer, _ = self.placed(at)
        return run(self.goal, start, optimizer, steps=self.steps)

    # -- in words

    @property
    def command(self) -> str:
        """What to type for the same plane."""
        first, second = self.spans
        parts = ["descend", "map", shlex.quote(self.text), "--optimizer", shlex.quote(self._chosen(":", ",", "{}={}"))]
        parts += ["--x", first.command, "--y", second.command, "--size", f"{first.count}x{second.count}"]
        if self.goal.variables and not self._covered():
            parts += ["--start=" + ",".join(_exact(v) for v in self.start)]
        parts += ["--steps", str(self.steps), "--by", self.by]
        parts += ["--tol", _exact(self.tol)] if self.tol != 1e-6 else []
        parts += ["--dtype", self.dtype] if self.dtype else []
        return " ".join([*parts, "--out", "map.png"])

    @property
    def python(self) -> str:
        """The program that makes the same plane and draws it."""
        goal = f"ds.{self.text}()" if self.text in NETWORKS else repr(self.text)
        start = "None" if not self.goal.variables or self._covered() else "[" + ", ".join(map(_exact, self.start)) + "]"
        options = [f"steps={self.steps}"] + ([f"tol={_exact(self.tol)}"] if self.tol != 1e-6 else [])
        options += [f'dtype="{self.dtype}"'] if self.dtype else []
        optimizer = "ds." + self._chosen("(", ", ", "{}={}", python=True) + ")"
        lines = [f"    {goal}, {start}, {optimizer}, {', '.join(options)},", *(f"    {s.python}," for s in self.spans)]
        return "\n".join(
            ["import descend as ds", "", "plane = ds.plane(", *lines, ")", f'plane.plot(by="{self.by}").savefig("map.png")']
        )

    def _covered(self) -> bool:
        """Every coordinate of the start is an axis."""
        return bool(self.goal.variables) and set(self.goal.variables) <= {s.name for s in self.spans}

    def _chosen(self, opening: str, comma: str, pair: str, *, python: bool = False) -> str:
        axes = {s.name for s in self.spans}
        stated = {k: v for k, v in self.optimizer.hyperparameters.items() if k in self.optimizer.stated and k not in axes}
        texts = {k: _exact(v) if isinstance(v, float) else repr(v) if python else str(v) for k, v in stated.items()}
        inside = comma.join(pair.format(k, v) for k, v in texts.items())
        return self.optimizer.name + (opening + inside if inside or python else "")


def chart(params: Mapping[str, Any]) -> Chart:
    """The map these params state, or a sentence about what is wrong with them."""
    text = params.get("objective")
    goal = goal_named(text)
    optimizer = _with_rate(optimizer_of(params.get("optimizer") or {"name": "sgd"}))
    sizes = _sizes(params.get("size", 512))
    spans = (_span(params.get("x"), "x", sizes[0]), _span(params.get("y"), "y", sizes[1]))
    if spans[0].name == spans[1].name:
        raise DescendError("both axes name the same quantity; a map needs two different ones")
    steps = _whole(params.get("steps", 200), 1, MOST_STEPS, "a map makes between 1 and {1} steps a descent; got {0}")
    tol = _real(params.get("tol", 1e-6), "tol")
    dtype, by = params.get("dtype"), params.get("by") or "rate"
    if dtype not in (None, "float32", "float64") or not isinstance(by, str) or by not in BY:
        raise DescendError(f"dtype is float32 or float64 and the colour one of {', '.join(BY)}")
    work = sizes[0] * sizes[1] * steps * (1 if goal.variables else NETWORK)
    if work > MOST_WORK:
        most = f"{MOST_WORK / (1 if goal.variables else NETWORK):,.0f}"
        raise DescendError(f"a page makes up to {most} steps for this map; {work:.2g} are asked for: fewer descents or steps")
    made = Chart(str(text).strip(), goal, optimizer, _start(params.get("start"), goal), steps, tol, spans, by, dtype)
    for span in spans:
        _check(span, goal, optimizer)
    if by == "basin" and not 0 < len(goal.variables) <= 4:
        raise DescendError("basins are told by the point a descent comes to, which is kept for one to four variables")
    return made


def _with_rate(optimizer: Optimizer) -> Optimizer:
    """The optimizer with its own rate stated where none is: a single descent would predict one instead."""
    if "lr" in optimizer.hyperparameters and "lr" not in optimizer.stated:
        return optimizer.with_values(lr=optimizer.hyperparameters["lr"])
    return optimizer


def goal_named(text: Any) -> Objective:
    """An expression, a surface or a small network."""
    if isinstance(text, str) and text.strip() in NETWORKS:
        return _network(text.strip())
    return objective_of(text if isinstance(text, str) else None)


@lru_cache
def _network(name: str) -> Objective:
    return resolve(name)


def target(goal: Objective, optimizer: Optimizer, name: str) -> tuple[str, Any]:
    """Where an axis goes: ("hyper", knob), ("start", coordinate) or ("leaf", (hyperparameter, array))."""
    known: dict[str, Hyperparameter] = COMMON | dict(optimizer.rule.hyperparameters)
    if name in known and not known[name].structural:
        return "hyper", known[name]
    if name in goal.variables:
        return "start", goal.variables.index(name)
    hyper, _, leaf = name.rpartition("_")
    if isinstance(goal.start, Mapping) and leaf in goal.start and hyper in optimizer.rule.hyperparameters:
        return "leaf", (hyper, leaf)
    own = ", ".join(n for n, h in optimizer.rule.hyperparameters.items() if not h.structural)
    leaves = ", ".join(goal.variables) or ", ".join(f"lr_{leaf}" for leaf in goal.start)
    raise DescendError(f"{name[:40]!r} is neither a hyperparameter of {optimizer.name} ({own}) nor one of {leaves}")


def _check(span: Span, goal: Objective, optimizer: Optimizer) -> None:
    kind, where = target(goal, optimizer, span.name)
    knob = where if kind == "hyper" else optimizer.rule.hyperparameters[where[0]] if kind == "leaf" else None
    for value in (span.low, span.high):
        if knob is not None:
            knob.check(value, optimizer.name)
    if len(np.unique(span.axis.values)) < span.count:
        raise DescendError(
            f"the axis {span.name} has no more numbers between {span.low!r} and {span.high!r}: this is as deep as float64 goes"
        )


def _span(told: Any, what: str, count: int) -> Span:
    shape = f'the {what} axis is an object such as {{"name": "lr", "low": 0.001, "high": 1, "scale": "log"}}'
    if not isinstance(told, Mapping) or not isinstance(told.get("name"), str) or told.get("scale") not in ("log", "linear"):
        raise DescendError(shape)
    low, high = _real(told.get("low"), f"{told['name'][:40]}'s lowest value"), _real(told.get("high"), "the highest")
    if not low < high:
        raise DescendError(f"the {what} axis runs from low to high; got {low:g} to {high:g}")
    if told["scale"] == "log" and not low > 0:
        raise DescendError(f"a logarithmic axis runs between two positive numbers; got {low:g} to {high:g}")
    if not math.isfinite(high - low):
        raise DescendError(f"the {what} axis is too long to be divided")
    return Span(told["name"], low, high, told["scale"], count)


def _sizes(told: Any) -> tuple[int, int]:
    pair = told if isinstance(told, list) and len(told) == 2 else [told, told]
    sentence = "a page's map has between 2 and {2} descents along an axis; got {0}"
    return tuple(_whole(n, 2, LARGEST, sentence) for n in pair)  # type: ignore[return-value]


def _start(told: Any, goal: Objective) -> Any:
    n = len(goal.variables)
    if not n:
        return goal.start
    if told is None:
        told = list(goal.start) if goal.start is not None else [1.0] * n
    if not isinstance(told, list) or len(told) != n:
        raise DescendError(f"a start has one number for each of {', '.join(goal.variables)}")
    return tuple(_real(v, f"the start's {name}") for v, name in zip(told, goal.variables, strict=True))


def _whole(value: Any, low: int, high: int, sentence: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or value != int(value):
        raise DescendError(sentence.format(repr(value)[:40], high, high))
    return int(value)


def _real(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise DescendError(f"{what} must be a finite number; got {str(value)[:40]!r}")
    return float(value)


def _exact(value: Any) -> str:
    """A number with as many digits as it takes to read the same one."""
    return repr(float(value)).removesuffix(".0")
