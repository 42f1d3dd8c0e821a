"""What an update rule is: one pure function on one array, its state, its hyperparameters; and how it is applied to many arrays.

    @rule(m=ZERO, v=ZERO, k1=POWER("beta1"), k2=POWER("beta2"))
    def adam(g, p, s, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        ...
        return p, s

The signature is the registry: commands, sliders, documents and tests read it. The slots named in the decorator are the state
kept between steps; inside the rule they are attributes of `s`. A slot that is not needed (see `Slot.when`) reads as 0 and what
is written to it is forgotten, so that the equations stay the same.

`float` hyperparameters are values: they may change at any step. `bool`, `int` and `str` ones are structure.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from descend.around import cast_like, decay, prepare, wide
from descend.arrays import total
from descend.errors import DescendError
from descend.hyperparameters import BOUNDS, COMMON, MEANINGS, Hyperparameter, is_off
from descend.schedules import Schedule
from descend.slots import COUNT, ONE, POWER, SQUARE, START, ZERO, Slot
from descend.trees import flatten, leaves_or_none

__all__ = [
    "COMMON",
    "COUNT",
    "ONE",
    "OPTIMIZERS",
    "POWER",
    "SQUARE",
    "START",
    "ZERO",
    "Hyperparameter",
    "Optimizer",
    "Rule",
    "Slot",
    "optimizer_named",
    "rule",
]

Array = Any
Slots = dict[str, Array]
State = dict[str, Any]
Hyper = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Rule:
    """An update rule: a pure function of gradient, parameter and state, with everything its source declares.

    Calling it binds hyperparameters and gives an `Optimizer`: `adam(lr=0.1)`.
    """

    name: str
    function: Callable[..., Any]
    slots: Mapping[str, Slot]
    hyperparameters: Mapping[str, Hyperparameter]
    title: str = ""
    paper: str = ""
    #: Which of the field's conventions the equations follow, where libraries differ.
    convention: str = ""
    #: What the rule fixes, and when not to use it, in a sentence each.
    fixes: str = ""
    avoid: str = ""
    #: Usual starting rates, as people state them.
    usual_lr: str = ""
    #: "linear" in the gradient, "adaptive" (divides by a running size of it) or "sign" (the step's size ignores it: signs, and
    #: steps rescaled to the size of the array).
    kind: str = "linear"
    #: The point to report where it is not p: `at(p, slots)`.
    at: Callable[[Array, Slots], Array] | None = None
    #: Dimensions an array must have at least, and why; and at most.
    ndim: tuple[int, str] | None = None
    most_ndim: int | None = None
    #: Needs an array as a whole (its norm, rows or singular values): the same numbers in two arrays move otherwise.
    whole_array: bool = False
    #: The power of a factor on all gradients that a step has, with eps at 0: 1 where linear, 0 where it is divided out.
    degree: int | None = None

    @property
    def summary(self) -> str:
        """What the rule does, in a sentence."""
        return (self.function.__doc__ or "").strip().split("\n")[0]

    @property
    def dialects(self) -> str:
        """Settings under which it follows other conventions, or other remarks; empty where there are none."""
        _, _, rest = (self.function.__doc__ or "").partition("\n\n")
        return " ".join(rest.split())

    @property
    def sums(self) -> bool:
        """Whether the rule needs sums over all arrays: it is then a generator that yields its parts."""
        return inspect.isgeneratorfunction(self.function)

    @cached_property
    def starts_alike(self) -> bool:
        """Whether the slots of two descents begin at the same numbers, given arrays of the same shapes and types."""
        return not any(isinstance(slot.fill, str) or callable(slot.when) for slot in self.slots.values())

    @cached_property
    def starts_at_p(self) -> bool:
        """Whether a slot begins at the parameters."""
        return any(slot.fill == "p" for slot in self.slots.values())

    @cached_property
    def known(self) -> dict[str, Hyperparameter]:
        """Every hyperparameter it may be given by name: the options all optimizers share, then its own."""
        return _shared(self) | dict(self.hyperparameters)

    def __call__(self, *unnamed: Any, **values: Any) -> Optimizer:
        if unnamed:
            first = next(iter(self.hyperparameters), "lr")
            raise DescendError(f"hyperparameters are given by name: {self.name}({first}={unnamed[0]!r:.20})")
        return bind(self, values)

    def __repr__(self) -> str:
        return f"<rule {self.name}>"

    def kept_slots(self, p: Array, hyper: Hyper) -> dict[str, Slot]:
        """The slots a descent with these hyperparameters carries for the array `p`."""
        return {name: slot for name, slot in self.slots.items() if slot.kept(p, hyper)}

    def state_bytes(self, hyper: Hyper, itemsize: int = 4, shape: tuple[int, ...] = (1,)) -> int:
        """Bytes of state for an array of this shape (single numbers not counted)."""
        model = np.broadcast_to(np.zeros(()), shape)
        sizes = {"like": model.size, "rows": math.prod(shape[:-1]), "columns": math.prod(shape[:-2]) * shape[-1], "scalar": 0}
        return sum(sizes[slot.shape] for slot in self.kept_slots(model, hyper).values()) * itemsize

    def start(self, p: Array, hyper: Hyper, values: Hyper | None = None) -> SimpleNamespace:
        """A fresh namespace with every slot, kept or not: what the function sees at the first step.

        `values` are the hyperparameters at step 0, where `hyper` holds schedules.
        """
        kept, values = self.kept_slots(p, hyper), hyper if values is None else values
        return SimpleNamespace(**{name: _filled(slot, p, values) if name in kept else 0.0 for name, slot in self.slots.items()})

    def apply(self, g: Array, p: Array, slots: Slots, hyper: Hyper) -> tuple[Array, Slots]:
        """One step on one array: the new parameter and the new slots. Shapes and dtypes are those of `p` and `slots`."""
        (pair,) = self.apply_all([g], [p], [slots], [hyper])
        return pair

    def apply_all(
        self, gs: Sequence[Array], ps: Sequence[Array], slots: Sequence[Slots], hypers: Sequence[Hyper]
    ) -> list[tuple[Array, Slots]]:
        """One step on several arrays; sums over all of them are formed where the rule asks for them."""
        spaces = [SimpleNamespace(**(dict.fromkeys(self.slots, 0.0) | s)) for s in slots]
        calls = [self.function(g, p, s, **h) for g, p, s, h in zip(gs, ps, spaces, hypers, strict=True)]
        results = _exchange_sums(calls) if self.sums else calls
        return [(p, {k: getattr(s, k) for k in old}) for (p, s), old in zip(results, slots, strict=True)]


def _filled(slot: Slot, p: Array, hyper: Hyper) -> Array:
    if slot.fill == "p":
        return p + 0 * p
    value = hyper[slot.fill] if isinstance(slot.fill, str) else slot.fill
    if slot.shape == "scalar":
        return value
    if slot.shape == "like":
        return p * 0 + value
    axis = -1 if slot.shape == "rows" else -2
    return total(p * 0, axis) + value


def _exchange_sums(calls: Sequence[Generator[Any, Any, Any]]) -> list[Any]:
    """Run generator rules in step: what each yields is summed over all arrays and sent back to each."""
    message: Any = None
    while True:
        parts, results = [], []
        for call in calls:
            try:
                parts.append(call.send(message))
            except StopIteration as stop:
                results.append(stop.value)
        if results:
            return results
        message = tuple(sum(column[1:], column[0]) for column in zip(*parts, strict=True)) if parts else ()


OPTIMIZERS: dict[str, Rule] = {}


def rule(
    *,
    title: str = "",
    paper: str = "",
    convention: str = "",
    fixes: str = "",
    avoid: str = "",
    usual_lr: str = "",
    kind: str = "linear",
    at: Callable[[Array, Slots], Array] | None = None,
    ndim: tuple[int, str] | None = None,
    most_ndim: int | None = None,
    whole_array: bool = False,
    degree: int | Literal["by kind"] | None = "by kind",
    bounds: Mapping[str, tuple[float, float, bool, bool]] | None = None,
    meanings: Mapping[str, str] | None = None,
    **slots: Slot,
) -> Callable[[Callable[..., Any]], Rule]:
    """Make a rule of a function on one array and enter it in the registry. Keyword arguments that are slots are its state."""

    def make(function: Callable[..., Any]) -> Rule:
        limits, hints, told = BOUNDS | dict(bounds or {}), get_type_hints(function), MEANINGS | dict(meanings or {})
        hyperparameters = {
            name: Hyperparameter(name, parameter.default, limits.get(name), _words(hints[name]), told.get(name, ""))
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.kind is parameter.KEYWORD_ONLY
        }
        name = function.__name__
        power = (1 if kind == "linear" else 0) if degree == "by kind" else degree
        texts = (title or name, paper, convention, fixes, avoid, usual_lr)
        made = Rule(name, function, slots, hyperparameters, *texts, kind, at, ndim, most_ndim, whole_array, power)
        made.__dict__["__doc__"] = function.__doc__
        OPTIMIZERS[name] = made
        return made

    return make


def _words(hint: Any) -> tuple[str, ...]:
    return get_args(hint) if get_origin(hint) is Literal else ()


def optimizer_named(name: str) -> Rule:
    """The rule of that name, or a `DescendError` with those whose names are near it."""
    key = name.lower().replace("-", "_")
    if key in OPTIMIZERS:
        return OPTIMIZERS[key]
    near = get_close_matches(key, OPTIMIZERS, 3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise DescendError(f"there is no optimizer {name!r}; {hint}`descend optimizers` lists the {len(OPTIMIZERS)} there are")


# -- options every optimizer has ------------------------------------------------------------------------------------------


def bind(made: Rule, values: Mapping[str, Any]) -> Optimizer:
    """Check the hyperparameters a user stated and fill in the defaults."""
    known = made.known
    for name in values:
        if name != "mask" and name not in known:
            own, shared = ", ".join(made.hyperparameters), ", ".join(_shared(made))
            near = get_close_matches(name, known, 1)
            raise DescendError(
                f"{made.name} has no hyperparameter {name!r}; it has {own} (and, like every optimizer, {shared})"
                + (f"; did you mean {near[0]}?" if near else "")
            )
    checked = {name: known[name].check(value, made.name) for name, value in values.items() if name != "mask"}
    full = {name: checked.get(name, h.default) for name, h in made.hyperparameters.items()}
    common = {n: checked[n] for n in COMMON if n in checked and n not in made.hyperparameters and not is_off(checked[n])}
    return Optimizer(made, full, common, frozenset(checked), values.get("mask"))


def _shared(made: Rule) -> dict[str, Hyperparameter]:
    """The common options a rule takes: one that has its own weight decay says itself where it acts."""
    own = made.hyperparameters
    return {n: h for n, h in COMMON.items() if n not in own and not (n == "decoupled" and "weight_decay" in own)}


@dataclass(frozen=True, eq=False)
class Optimizer:
    """A rule with its hyperparameters bound: what a descent is given.

    >>> from descend.optimizers import adam
    >>> import numpy as np
    >>> opt = adam(lr=0.1)
    >>> p, state = np.array([4.0, 3.0]), None
    >>> p, state = opt.step(p, np.array([8.0, 18.0]), opt.init(p))
    >>> p
    array([3.9, 2.9])
    """

    rule: Rule
    values: Mapping[str, Any]
    common: Mapping[str, Any] = field(default_factory=dict)
    #: Names the user stated; with no `lr` among them a descent predicts one.
    stated: frozenset[str] = frozenset()
    #: Which arrays weight decay applies to: a tree of booleans like the parameters, or a test of one array.
    mask: Any = None

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.rule.name

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """Every hyperparameter with its value, shared options that are on included."""
        return dict(self.values) | dict(self.common)

    @property
    def scheduled(self) -> dict[str, Schedule]:
        """The hyperparameters that follow a schedule."""
        return {k: v for k, v in self.hyperparameters.items() if isinstance(v, Schedule)}

    def with_values(self, **changes: Any) -> Optimizer:
        """The same optimizer with some hyperparameters changed."""
        stated = {k: v for k, v in self.hyperparameters.items() if k in self.stated}
        return bind(self.rule, stated | changes | ({} if self.mask is None else {"mask": self.mask}))

    def __repr__(self) -> str:
        stated = ", ".join(f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}" for k, v in self.hyperparameters.items())
        return f"{self.name}({stated})"

    @property
    def structural(self) -> dict[str, Any]:
        """The hyperparameters that are structure, with their values."""
        kinds = COMMON | dict(self.rule.hyperparameters)
        return {k: v for k, v in self.hyperparameters.items() if kinds[k].structural}

    @property
    def reports_elsewhere(self) -> bool:
        """Whether the point to look at is not p itself."""
        return self.rule.at is not None

    @property
    def structure(self) -> tuple[Any, ...]:
        """What decides the shape of the computation: a new structure is a new program, new values are not."""
        everything = self.hyperparameters
        kinds = COMMON | dict(self.rule.hyperparameters)
        # the mask itself, not its id: an id is used again once its owner is gone
        parts: list[Any] = [self.rule, self.mask if callable(self.mask) else tuple(map(bool, flatten(self.mask)[0]))]
        for name, value in sorted(everything.items()):
            if kinds[name].structural:
                parts.append((name, value))
            elif isinstance(value, Schedule):
                parts.append((name, "scheduled"))
            else:
                parts.append((name, is_off(value)))
        return tuple(parts)

    def at_step(self, step: int) -> dict[str, Any]:
        """Every hyperparameter as it stands for the update after `step` updates: schedules are evaluated."""
        return {k: float(v(step)) if isinstance(v, Schedule) else v for k, v in self.hyperparameters.items()}

    # -- on trees of arrays

    def init(self, params: Any) -> State:
        """The state before the first step: the number of steps made and the slots of each array in order."""
        leaves, _ = flatten(params)
        return self.init_leaves(leaves)

    def step(self, params: Any, grads: Any, state: State, values: Hyper | None = None) -> tuple[Any, State]:
        """One step on a tree of arrays (NumPy, JAX or torch): the new parameters and the new state.

        `values` are the hyperparameters for this very step; by default they are the bound ones, schedules evaluated. An array
        whose gradient is None stays as it is, state and all.
        """
        leaves, rebuild = flatten(params)
        gradients = leaves_or_none(grads)
        if len(gradients) != len(leaves):
            raise DescendError(f"there are {len(leaves)} parameter arrays and {len(gradients)} gradients; they must match")
        hyper = self.at_step(int(state["t"])) if values is None else values
        if any(g is None for g in gradients):
            new, state = self._step_some(leaves, gradients, state, hyper)
        else:
            new, state = self.step_leaves(leaves, gradients, state, hyper)
        return rebuild(new), state

    def _step_some(self, leaves: list[Array], grads: list[Array], state: State, hyper: Hyper) -> tuple[list[Array], State]:
        """`step_leaves` where some gradients are None: to the rule, and to norms and sums, those arrays are not there."""
        places = [i for i, g in enumerate(grads) if g is not None]
        some = self._among(leaves, places)
        part = {"t": state["t"], "slots": [state["slots"][i] for i in places]}
        moved, after = some.step_leaves([leaves[i] for i in places], [grads[i] for i in places], part, hyper)
        new, slots = list(leaves), list(state["slots"])
        for place, p, slot in zip(places, moved, after["slots"], strict=True):
            new[place], slots[place] = p, slot
        return new, {"t": after["t"], "slots": slots}

    def _among(self, leaves: list[Array], places: list[int]) -> Optimizer:
        """The same optimizer for some of the arrays."""
        decays = self._decays(leaves)
        return self if self.mask is None else replace(self, mask=[decays[i] for i in places])

    def init_leaves(self, leaves: Sequence[Array]) -> State:
        """`init` for a flat list of arrays."""
        hyper = self.at_step(0)
        for p in leaves:
            self.check_array(p)
        slots = []
        for p in leaves:
            # a slot whose hyperparameter follows a schedule is kept, also where the schedule starts at 0
            kept, fresh = self.rule.kept_slots(p, dict(self.values)), self.rule.start(wide(p), dict(self.values), hyper)
            slots.append({k: _as_stored(getattr(fresh, k), slot, p) for k, slot in kept.items()})
        return {"t": 0, "slots": slots}

    def step_leaves(
        self, leaves: Sequence[Array], grads: Sequence[Array], state: State, hyper: Hyper
    ) -> tuple[list[Array], State]:
        """`step` for flat lists of arrays; `hyper` holds this step's value of every hyperparameter."""
        if not leaves:
            return [], {"t": state["t"] + 1, "slots": []}
        rule, common = self.rule, self.common
        own = {k: hyper[k] for k in rule.hyperparameters}
        wide_p, wide_g = [wide(p) for p in leaves], [wide(g) for g in grads]
        if common:
            wide_g = prepare(wide_p, wide_g, common, hyper)
            wide_p, wide_g = decay(wide_p, wide_g, common, hyper, self._decays(leaves))
        old = [self._rebuilt({k: wide(v) for k, v in s.items()}, state["t"], own) for s in state["slots"]]
        hypers = [own] * len(leaves)
        if self.mask is not None and "weight_decay" in own:
            hypers = [own if decays else own | {"weight_decay": 0.0} for decays in self._decays(leaves)]
        stepped = rule.apply_all(wide_g, wide_p, old, hypers)
        new = [cast_like(p, old_p) for (p, _), old_p in zip(stepped, leaves, strict=True)]
        slots = [
            {k: cast_like(v, before[k]) for k, v in after.items()}
            for (_, after), before in zip(stepped, state["slots"], strict=True)
        ]
        return new, {"t": state["t"] + 1, "slots": slots}

    def report(self, leaves: Sequence[Array], state: State) -> list[Array]:
        """The point to look at and to evaluate: p itself, or what the rule's `at` says."""
        if self.rule.at is None:
            return list(leaves)
        return [self.rule.at(p, s) for p, s in zip(leaves, state["slots"], strict=True)]

    def rebuilt(self, state: State) -> State:
        """The state with its running powers made anew from the step count, after a change of β or a foreign state."""
        hyper = self.at_step(int(state["t"]))
        return state | {"slots": [self._rebuilt(s, state["t"], hyper, force=True) for s in state["slots"]]}

    def _rebuilt(self, slots: Slots, t: Array, hyper: Hyper, force: bool = False) -> Slots:
        for name, slot in self.rule.slots.items():
            scheduled = slot.power_of is not None and isinstance(self.values[slot.power_of], Schedule)
            if name in slots and (scheduled or (force and slot.after(t, hyper) is not None)):
                slots = slots | {name: slot.after(t, hyper)}
        return slots

    def _decays(self, leaves: Sequence[Array]) -> list[bool]:
        if self.mask is None:
            return [True] * len(leaves)
        if callable(self.mask):
            return [bool(self.mask(p)) for p in leaves]
        flags, _ = flatten(self.mask)
        if len(flags) != len(leaves):
            raise DescendError(
                f"the mask has {len(flags)} entries and there are {len(leaves)} parameter arrays; they must match"
            )
        return [bool(flag) for flag in flags]

    def check_array(self, p: Array) -> None:
        """Raise a `DescendError` where the rule does not move arrays of this shape or type."""
        rule = self.rule
        if rule.ndim is not None and not rule.ndim[0] <= p.ndim <= (p.ndim if rule.most_ndim is None else rule.most_ndim):
            raise DescendError(f"{self.name} {rule.ndim[1]}; got an array of shape {tuple(p.shape)}")
        if "float" not in str(p.dtype):
            raise DescendError(
                f"{self.name} moves floating-point parameters; got an array of {p.dtype}: convert it to float first"
            )


def _as_stored(x: Array, slot: Slot, p: Array) -> Array:
    """A fresh slot in the type it is kept in: the parameter's for arrays, at least float32 for single numbers."""
    if slot.shape != "scalar":
        return cast_like(x, p)
    return float(x) if isinstance(x, int | float) else x
