"""A rule with some of its equations changed, and the points it visits: what a user's optimizer is compared with.

A candidate is the reference itself, one of its dialects, or a known mistake. All are the same function with lines replaced, so
that the catalogue cannot drift from the rules.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from inspect import getsource
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import numpy as np

import descend.arrays as arrays
from descend.check.probes import Probe
from descend.errors import DescendError
from descend.hyperparameters import COMMON, Hyperparameter
from descend.rules import Rule, Slot

__all__ = [
    "EXTRA",
    "Candidate",
    "Change",
    "agrees",
    "apart",
    "changed",
    "function_of",
    "line_code",
    "pieces",
    "quick",
    "rule_tree",
    "trajectory",
    "with_decay",
    "written",
]

Points = np.ndarray


def _by_array(function: Any) -> Any:
    return lambda x, *rest: function(np.asarray(x, dtype=np.float64), *rest)


#: Functions that no rule uses and a mistake may.
EXTRA: dict[str, Any] = {
    "largest": _by_array(lambda x: np.max(np.abs(x))),
    "tanh": _by_array(np.tanh),
    "cbrt": _by_array(np.cbrt),
    "exp": _by_array(np.exp),
    "float16": _by_array(lambda x: x.astype(np.float16).astype(np.float64)),
    "float32": _by_array(lambda x: x.astype(np.float32).astype(np.float64)),
}


@dataclass(frozen=True)
class Change:
    """One change of a rule's lines: `set` what a target is assigned, or put statements `before` or `after` it."""

    target: str
    source: str
    kind: str = "set"
    occurrence: int = 0


@lru_cache(maxsize=2048)
def rule_tree(rule: Rule) -> ast.FunctionDef:
    """The function of a rule as it is written, without its decorators."""
    source = getattr(rule.function, "__descend_source__", None) or getsource(rule.function)
    definition = ast.parse(dedent(source)).body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list, definition.returns = [], None
    for argument in (*definition.args.args, *definition.args.kwonlyargs):
        argument.annotation = None
    return definition


def _target(statement: ast.stmt) -> str:
    if not isinstance(statement, ast.Assign):
        return ""
    node = statement.targets[0]
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)


def changed(
    rule: Rule, changes: Sequence[Change], *, slots: Mapping[str, Slot] | None = None, hyper: Sequence[Hyperparameter] = ()
) -> Rule:
    """The rule with these changes made in order, further slots and further hyperparameters."""
    definition = copy.deepcopy(rule_tree(rule))
    # places are found in the lines as they stood, so that changes do not move each other's targets
    original = list(definition.body)
    for change in changes:
        places = [s for s in original if _target(s) == change.target]
        if change.target == "start":
            place: ast.stmt = next(s for s in original if isinstance(s, ast.Assign))
        elif change.occurrence < len(places):
            place = places[change.occurrence]
        else:
            raise DescendError(f"{rule.name} has no equation {change.occurrence + 1} for {change.target!r}")
        if change.kind == "set":
            assert isinstance(place, ast.Assign)
            place.value = ast.parse(change.source, mode="eval").body
        else:
            at = next(i for i, s in enumerate(definition.body) if s is place) + (change.kind == "after")
            definition.body[at:at] = ast.parse(change.source).body
    for h in hyper:
        definition.args.kwonlyargs.append(ast.arg(h.name))
        definition.args.kw_defaults.append(ast.Constant(h.default))
    function = function_of(rule, ast.fix_missing_locations(definition))
    known = dict(rule.hyperparameters) | {h.name: h for h in hyper}
    return replace(rule, function=function, slots=dict(rule.slots) | dict(slots or {}), hyperparameters=known)


def function_of(rule: Rule, definition: ast.FunctionDef) -> Any:
    """What a definition defines, with its source to read."""
    scope = EXTRA | {name: getattr(arrays, name) for name in arrays.__all__} | dict(rule.function.__globals__)
    module = ast.fix_missing_locations(ast.Module([definition], []))
    exec(compile(module, f"<rule {rule.name}>", "exec"), scope)  # our own source, never a user's text
    function = scope[definition.name]
    function.__descend_source__ = ast.unparse(definition)
    return function


@lru_cache(maxsize=8192)
def line_code(source: str, rule: str) -> Any:
    """A line, or several, compiled once."""
    return compile(source, f"<rule {rule}>", "exec")


@lru_cache(maxsize=512)
def written(rule: Rule) -> tuple[tuple[str, str], ...]:
    """Every line of a rule: what it defines, and its text."""
    return tuple((_target(s), ast.unparse(s)) for s in rule_tree(rule).body if isinstance(s, ast.Assign))


def pieces(rule: Rule, changes: Sequence[Change]) -> dict[int, list[str]]:
    """The lines that changes put in place of a rule's own, by their number."""
    lines = written(rule)
    body: dict[int, list[str]] = {}
    for change in changes:
        place = (
            0 if change.target == "start" else [i for i, (t, _) in enumerate(lines) if t == change.target][change.occurrence]
        )
        own, part = lines[place][1], body.setdefault(place, [lines[place][1]])
        if change.kind == "set":
            middle = next(i for i, text in enumerate(part) if text == own or i == len(part) - 1)
            part[middle] = f"{own.split(' = ')[0]} = {change.source}"
        else:
            part[:] = [change.source, *part] if change.kind == "before" else [*part, change.source]
    return body


def quick(rule: Rule, changes: Sequence[Change], slots: Mapping[str, Slot]) -> Rule:
    """As `changed`, for trajectories alone: lines are compiled once each and run one by one: pairs cost nothing to make.

    The result has no source to read equations from. Rules that sum over arrays are generators, which are compiled whole: when
    they are first run, since most are never.
    """
    changed_lines = pieces(rule, changes)
    if rule.sums:
        return _later(rule, changes, slots)
    body = [changed_lines.get(i, [text]) for i, (_, text) in enumerate(written(rule))]
    codes = [line_code(text, rule.name) for part in body for text in part]
    scope = EXTRA | {name: getattr(arrays, name) for name in arrays.__all__} | dict(rule.function.__globals__)

    def function(g: Any, p: Any, s: Any, **hyper: Any) -> Any:
        names = {"g": g, "p": p, "s": s} | hyper
        for code in codes:
            exec(code, scope, names)  # our own source, never a user's text
        return names["p"], s

    return replace(rule, function=function, slots=dict(rule.slots) | dict(slots))


def _later(rule: Rule, changes: Sequence[Change], slots: Mapping[str, Slot]) -> Rule:
    """The rule with these changes, made when it is first run."""
    made: list[Any] = []

    def function(g: Any, p: Any, s: Any, **hyper: Any) -> Any:
        if not made:
            try:
                made.append(changed(rule, changes, slots=slots).function)
            except (SyntaxError, DescendError) as error:
                raise TypeError(str(error)) from None  # as what makes no sense elsewhere
        return (yield from made[0](g, p, s, **hyper))

    return replace(rule, function=function, slots=dict(rule.slots) | dict(slots))


@lru_cache(maxsize=256)
def with_decay(rule: Rule, decoupled: bool) -> Rule:
    """A rule that has no weight decay of its own, with one: L2 into the gradient, or decoupled from it."""
    line = "p = p - lr * weight_decay * p" if decoupled else "g = g + weight_decay * p"
    return changed(rule, [Change("start", line, "before")], hyper=[COMMON["weight_decay"]])


@dataclass(eq=False)
class Candidate:
    """A rule with what is fixed about it, and what it means if an optimizer turns out to equal it."""

    rule: Rule
    #: "reference", "dialect" or "mistake".
    kind: str
    #: What it is, in words.
    label: str
    #: Values of hyperparameters it holds whatever the probe says.
    fixed: Mapping[str, Any] = field(default_factory=dict)
    #: The catalogue's entries it stands for; empty for the reference and its dialects.
    entries: tuple[Any, ...] = ()
    #: Needs the arrays as they are: norms, rows, shapes.
    whole: bool = False
    #: Library or paper whose form it is.
    source: str = ""
    #: Divides by zero where the user's code may: entries that are not finite there are not compared.
    lenient: bool = False
    #: The reference or dialect a mistake was made in.
    base: Candidate | None = None
    #: A dialect only where the user's optimizer has no such argument.
    without: str = ""
    #: A dialect only where the user's optimizer is driven so.
    only: tuple[str, ...] = ()
    _cache: dict[Any, Points] = field(default_factory=dict, repr=False)

    def values(self, probe: Probe, step: int = 0) -> dict[str, Any]:
        """The hyperparameters of one step."""
        full = {n: h.default for n, h in self.rule.hyperparameters.items()}
        known = {k: v for k, v in probe.at(step).items() if k in full}
        return full | known | {k: v for k, v in self.fixed.items() if k in full}


def trajectory(candidate: Candidate, probe: Probe) -> Points:
    """The points a candidate visits on a probe: (steps + 1, all entries of all arrays in order), in float64."""
    key = probe.key
    if key not in candidate._cache:
        candidate._cache[key] = np.array(list(_steps(candidate, probe)))
    return candidate._cache[key]


def agrees(candidate: Candidate, probe: Probe, points: Points, tolerance: float) -> float:
    """How far a candidate is from points visited; inf as soon as one step is further than the tolerance."""
    if probe.key in candidate._cache:
        return apart(candidate._cache[probe.key], points, candidate.lenient)
    found = []
    moved = _moved(points)
    for t, row in enumerate(_steps(candidate, probe)):
        if t >= len(points) or _furthest(row, points[t], candidate.lenient, t) > tolerance * moved:
            return float("inf")
        found.append(row)
    candidate._cache[probe.key] = np.array(found)
    return apart(candidate._cache[probe.key], points, candidate.lenient)


def _steps(candidate: Candidate, probe: Probe) -> Iterator[np.ndarray]:
    rule = candidate.rule
    flat = not (candidate.whole or rule.whole_array or rule.sums or rule.ndim)
    ps, steps = list(probe.start), [list(g) for g in probe.gradients]
    if flat:
        ps, steps = [probe.joined(ps)], [[probe.joined(g)] for g in steps]
    yield probe.joined(ps)
    first = candidate.values(probe)
    slots = [_start(rule, p, first) for p in ps]
    for t, gs in enumerate(steps):
        hyper = candidate.values(probe, t) if probe.changes else first
        with np.errstate(all="ignore"):
            stepped = rule.apply_all(gs, ps, slots, [hyper] * len(ps))
        ps, slots = [p for p, _ in stepped], [s for _, s in stepped]
        yield probe.joined(ps)


def _start(rule: Rule, p: np.ndarray, hyper: Mapping[str, Any]) -> dict[str, Any]:
    """Every slot at its first value; single numbers as NumPy's, so that a division by zero is inf and no error."""
    space: SimpleNamespace = rule.start(p, hyper)
    kept = rule.kept_slots(p, hyper)
    return {k: np.float64(v) if isinstance(v, int | float) else v for k, v in vars(space).items() if k in kept}


def apart(ours: Points, theirs: Points, lenient: bool = False) -> float:
    """The largest difference ÷ the largest displacement of `theirs`; inf where one is finite and the other is not.

    Rounding of the parameters themselves is allowed for: a difference below 8 units in the last place,
    and one more for each step, counts as none.
    With `lenient`, entries that are not finite in `theirs` are not compared.
    """
    if ours.shape != theirs.shape:
        return float("inf")
    difference, moved = _furthest(ours, theirs, lenient), _moved(theirs)
    return difference / moved if moved > 0 else (0.0 if difference == 0 else float("inf"))


def _furthest(a: Points, b: Points, lenient: bool = False, step: int | None = None) -> float:
    if lenient:
        a = np.where(np.isfinite(b), a, np.nan)
    finite = np.isfinite(a)
    if not np.array_equal(finite, np.isfinite(b)):
        return float("inf")
    if not finite.all():
        a, b = np.where(finite, a, 0.0), np.where(finite, b, 0.0)
    steps = np.arange(len(a))[:, None] if step is None else step
    rounding = 2.2e-16 * (8 + steps) * np.maximum(np.abs(a), np.abs(b))
    return float(np.maximum(np.abs(a - b) - rounding, 0.0).max(initial=0.0))


def _moved(points: Points) -> float:
    finite = np.where(np.isfinite(points), points, 0.0)
    return float(np.abs(finite - finite[0]).max(initial=0.0))
