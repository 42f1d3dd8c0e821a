"""In the child process: an optimizer in a style of its own, made and stepped as the search of `styles` has found."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from descend.check.argument_roles import Roles
from descend.check.hands import Hand, WeightsHand, numbers
from descend.check.loading import Failed
from descend.check.making import Config, config_class, counters, first_states, namespace, state_makers
from descend.check.models import HANDS, hand_text
from descend.check.sessions import _set_attributes

__all__ = ["Exhausted", "Run", "Way"]

Settings = dict[str, Any]


class Exhausted(Exception):  # noqa: N818  (no failure: there is no further first state to try)
    """All first states have been tried."""


@dataclass
class Way:
    """How a thing is made, what is called on it, what each argument is, and what comes back."""

    target: Any
    #: "function": called itself; "made": called to make what is then stepped; "generator": it yields and is sent.
    form: str
    kind: str
    hand: str
    making: Roles = ()
    creator: str = ""
    member: str = ""
    roles: Roles = ()
    prepare: str = ""
    #: Which of the first states.
    source: int = 0
    #: Hyperparameters that are set on it once it is made, and those that a config of its own is asked for.
    attributes: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    #: Whether what says which array it is is a number, not a name.
    numbered: bool = False
    #: Three functions: the result is a state, from which a third one takes the parameters.
    triple: bool = False
    #: The first step's number, where the step is counted for it.
    count: int = 1
    #: Whether a step is compiled, and the compiled ones by settings and shapes.
    compiled: bool = False
    programs: dict[str, Any] = field(default_factory=dict, repr=False)
    #: What its result is: "new" parameters, "add" or "subtract" what comes back, "place" (in place), "home", "inside".
    mode: str = ""
    #: Where in a tuple the parameters come back.
    place: int = 0

    @property
    def shared(self) -> bool:
        """Whether one optimizer serves all arrays, called for each."""
        held = any(role in ("p", "both", "shape", "p0") for _, role in self.making)
        keyed = any(role == "key" for _, role in self.roles)
        return self.form == "made" and not held and (keyed or self.hand in ("layer", "named layer"))

    @property
    def text(self) -> str:
        """How it is driven, in words."""
        library = {"numpy": "NumPy", "torch": "torch", "jax": "JAX"}[self.kind]
        if self.form == "generator":
            return f"{library} generator that is sent gradients, {hand_text(self.hand)}"
        what = "class" if isinstance(self.target, type) else "function"
        words = {"state": "state", "both": "model", "pairs": "pairs", "turned": "pairs", "set": "", "not": "", "one": ""}
        roles = ", ".join(filter(None, (words.get(r, r) for _, r in self.roles)))
        made = "" if self.form == "function" else f".{self.member}" if isinstance(self.target, type) else f"(…).{self.member}"
        parts = [f"{library} {what}{made.removesuffix('.')}({roles})", hand_text(self.hand)]
        parts += {"add": ["its result added"], "subtract": ["its result subtracted"]}.get(self.mode, [])
        parts += [f"{self.prepare}() first"] if self.prepare else []
        return ", ".join(parts)


class Run:
    """One call's arrays with the optimizer that moves them."""

    def __init__(self, way: Way, arrays: Sequence[Any], keys: Sequence[Any], settings: Settings, shared: Run | None) -> None:
        self.way, self.settings, self.key = way, dict(settings), keys[0]
        self.hand: Hand = HANDS[way.hand][0](arrays, keys)
        self.count = len(arrays)
        self.config: Any = Config({k: v for k, v in settings.items() if k in way.asked}, way.count) if shared is None else None
        self.made: Any = way.target if way.form == "function" else None
        self.home, self.t = "", way.count
        self.state: list[Any] = []
        if shared is not None:
            self.made, self.config = shared.made, shared.config
        elif way.form != "function":
            self._make()
        self._first_state()

    def _make(self) -> None:
        way = self.way
        maker = getattr(way.target, way.creator) if way.creator else way.target
        given: Settings = {}
        for name, role in way.making:
            if role == "config":
                given[name] = self._config(maker, name)
            elif role != "set":
                given[name] = self._value(role, name)
        known = _names(maker)
        given |= {k: v for k, v in self.settings.items() if k in known and k not in given}
        self.made = namespace(maker(**given))
        if way.form == "generator":
            next(self.made)
            return
        for name in way.attributes:
            if name in self.settings:
                setattr(self.made, name, self.settings[name])
        self.home = self._home()
        if way.prepare:
            self._prepare()

    def _config(self, maker: Any, name: str) -> Any:
        """The settings as one thing: of the class it is annotated with, or a dict that can be asked as an object too."""
        cls = config_class(maker, name)
        if cls is None:
            return self.config
        known = _names(cls)
        self.config = cls(**{k: v for k, v in self.settings.items() if k in known})
        return self.config

    def _prepare(self) -> None:
        """What is called before the first step, with parameters or shapes where it asks for something."""
        function = getattr(self.made, self.way.prepare)
        shapes = [tuple(c.shape) for c in self.hand.cells]
        names = list(inspect.signature(function).parameters)
        tries: list[tuple[Any, ...]] = [(self.hand.p,), (shapes[0] if self.hand.single else shapes,), (self.hand.both,)]
        for given in tries if names else [()]:
            try:
                function(*given)
                return
            except (TypeError, AttributeError, ValueError, KeyError) as error:
                last = error
        raise last

    def _home(self) -> str:
        """The attribute in which it keeps the parameters it was given."""
        start = self.hand.cells
        names = [*getattr(self.made, "__dict__", {}), *getattr(self.made, "_fields", ())]
        for name in names:
            found = self.hand.unpacked(getattr(self.made, name))
            if found is not None and all(np.array_equal(numbers(f), numbers(s)) for f, s in zip(found, start, strict=True)):
                return str(name)
        return ""

    def _first_state(self) -> None:
        names = [name for name, role in self.way.roles if role == "state"]
        if not names:
            if self.way.source:
                raise Exhausted
            return
        annotated = [c for n in names if (c := config_class(self.stepper(), n)) is not None]
        makers = state_makers(self.made, self.way.target, annotated)
        for i, values in enumerate(first_states(len(names), makers, self.hand, self.config)):
            if i == self.way.source:
                values = counters(names, self.hand, values)
                self.state = copy.deepcopy(values) if self.way.kind == "numpy" else values
                self._look_inside()
                return
        raise Exhausted

    def _look_inside(self) -> None:
        """Where the parameters are in a state, for what is handed them in no other way."""
        self.inside: Any = None
        if self.way.mode not in ("", "inside") or any(r in ("p", "p0", "both", "pairs", "turned") for _, r in self.way.roles):
            return
        for name, value in _parts(self.state[0]):
            found = self.hand.unpacked(value)
            same = found and all(np.array_equal(numbers(f), numbers(c)) for f, c in zip(found, self.hand.cells, strict=True))
            if same and self.way.form == "function":
                self.inside = name
                return

    def stepper(self) -> Any:
        """What is called each step."""
        return getattr(self.made, self.way.member) if self.way.member else self.made

    def _value(self, role: str, name: str) -> Any:
        hand = self.hand
        if role in ("both", "pairs", "turned"):
            return hand.both
        if role == "shape":
            shapes = [tuple(c.shape) for c in hand.cells]
            return shapes[0] if hand.single else shapes
        if role in ("p0", "p1", "g0", "g1") and isinstance(hand, WeightsHand):
            return hand.pick(role)
        values = {"p": hand.p, "g": hand.g, "t": self.t, "key": self.key, "config": self.config, "one": 1, "not": False}
        return self.settings.get(name) if role == "set" else values[role]

    def step(self, grads: Sequence[Any]) -> None:
        """One step."""
        self.hand.load(grads)
        if self.way.form == "generator":
            self._sent()
            return
        states = iter(self.state)
        function = self.stepper()
        given = {n: next(states) if role == "state" else self._value(role, n) for n, role in self.way.roles}
        known = _names(function)
        given |= {k: v for k, v in self.settings.items() if k in known and k not in given}
        before = [numbers(c).copy() for c in self.hand.cells]
        old = [c * 1 for c in self.hand.cells] if self.way.kind != "jax" else list(self.hand.cells)
        result = self._compiled(function, given) if self.way.compiled else _called(function, given)
        self.hand.settle()
        self.t += 1
        self._take(result, old, before)

    def _compiled(self, function: Any, given: Settings) -> Any:
        """The same, compiled by JAX for these settings and shapes; the way keeps what is compiled."""
        import jax

        moving = {name: given[name] for name, role in self.way.roles if role in ("p", "g", "t", "state")}
        fixed = {name: value for name, value in given.items() if name not in moving}
        key = f"{self.settings}{[(c.shape, str(c.dtype)) for c in self.hand.cells]}"
        if key not in self.way.programs:
            self.way.programs[key] = jax.jit(lambda moving: _called(function, fixed | moving))
        return self.way.programs[key](moving)

    def _sent(self) -> None:
        found = self.made.send(self.hand.g)
        found = next(self.made) if found is None else found
        new = self.hand.unpacked(found)
        if new is None:
            raise Failed("it yields something that is not like parameters")
        self.hand.store(new)

    def _take(self, result: Any, old: list[Any], before: list[np.ndarray]) -> None:
        """What came back: parameters, updates, states, the next optimizer; or nothing, and they were written into."""
        if getattr(self, "inside", None) is not None:
            self.state = self.state if result is None else [result]
            self.way.mode = "inside"
            found = self.hand.unpacked(dict(_parts(self.state[0]))[self.inside])
            if found is None:
                raise Failed("its state holds nothing that is like parameters any more")
            self.hand.store(found)
            return
        new = self._sorted(result, before)
        mode = self.way.mode or self._mode(new, before)
        self.way.mode = mode
        if mode == "new" and new is not None:
            self.hand.store(new)
        elif mode in ("add", "subtract") and new is not None:
            self.hand.store([p + u if mode == "add" else p - u for p, u in zip(old, new, strict=True)])
        elif mode == "home":
            found = self.hand.unpacked(getattr(self.made, self.home))
            if found is None:
                raise Failed(f"its {self.home} is not like parameters any more")
            self.hand.store(found)

    def _sorted(self, result: Any, before: list[np.ndarray]) -> list[Any] | None:
        """The part of a result that is like parameters; states and the next optimizer are kept."""
        if self.way.form == "made" and self._is_next(result):
            self.made = result
            return None
        if self.way.triple and self.state:
            self.state = [result]
            return self.hand.unpacked(self.made.get_params(result))
        if isinstance(self.hand, WeightsHand):
            return self.hand.joined(result)
        whole = self.hand.unpacked(result)
        if whole is not None or not isinstance(result, tuple | list):
            return self._lone(result, whole, before)
        parts = []
        for part in result:
            if self.way.form == "made" and self._is_next(part):
                self.made = part
            else:
                parts.append(part)
        place = self.way.place if self.way.mode else self._place(parts, before)
        self.way.place = place
        rest = [part for i, part in enumerate(parts) if i != place]
        if len(rest) >= len(self.state):
            self.state = rest[: len(self.state)]
        return self.hand.unpacked(parts[place]) if 0 <= place < len(parts) else None

    def _lone(self, result: Any, whole: list[Any] | None, before: list[np.ndarray]) -> list[Any] | None:
        """A single thing came back: parameters, or, where they were written into, the state."""
        written = any(not np.array_equal(numbers(c), b) for c, b in zip(self.hand.cells, before, strict=True))
        stateful = len(self.state) == 1 and result is not None
        if self.way.mode == "place" or (not self.way.mode and written and not (whole and _near(whole, before))):
            if stateful and (whole is not None or type(result) is type(self.state[0])):
                self.state = [result]
            return None
        return whole

    def _is_next(self, result: Any) -> bool:
        return isinstance(self.way.target, type) and isinstance(result, self.way.target)

    def _place(self, parts: list[Any], before: list[np.ndarray]) -> int:
        """Where in a result the parameters are: the first that lies near the old ones, else the first of their shapes."""
        alike = [(i, found) for i, part in enumerate(parts) if (found := self.hand.unpacked(part)) is not None]
        return next((i for i, found in alike if _near(found, before)), alike[0][0] if alike else -1)

    def _mode(self, new: list[Any] | None, before: list[np.ndarray]) -> str:
        """Seen on the first step of the search, whose parameters lie far from zero."""
        if new is not None:
            if _near(new, before):
                return "new"
            along = sum(float(np.sum(numbers(u) * numbers(g))) for u, g in zip(new, self.hand.slopes, strict=False))
            pure = any(role == "state" for _, role in self.way.roles)
            as_optax = pure and all(type(u).__module__.startswith("jax") for u in new)  # what comes back is added there
            return "add" if as_optax or along < 0 else "subtract"
        written = any(not np.array_equal(numbers(c), b) for c, b in zip(self.hand.cells, before, strict=True))
        return "home" if self.home and not written else "place"

    def change(self, settings: Settings) -> None:
        """Change hyperparameters in mid-run."""
        if self.way.form == "generator":
            raise Failed("its settings cannot be changed in mid-run")
        left: Settings = {}
        known = _names(self.stepper())
        before = dict(self.settings)
        self.settings |= settings
        for name, value in settings.items():
            if name in known:
                continue
            if isinstance(self.config, Config) and name in self.way.asked:
                self.config[name] = value
            elif self.config is not None and not isinstance(self.config, Config) and hasattr(self.config, name):
                setattr(self.config, name, value)
            else:
                left[name] = value
        if left and hasattr(self.made, "_replace"):
            self.made = self.made._replace(**left)
        elif left and dataclasses.is_dataclass(self.made) and not isinstance(self.made, type):
            self.made = dataclasses.replace(self.made, **left) if _frozen(self.made) else self.made
            if not _frozen(self.made):
                _set_attributes(self.made, left)
        elif left and inspect.isroutine(self.made):
            raise Failed("its settings cannot be changed in mid-run")
        elif left:
            _set_attributes(self.made, left)
            self._set_current(before, settings)

    def _set_current(self, before: Settings, settings: Settings) -> None:
        """What keeps the rate of the moment beside the rate, as current_learning_rate, is what a schedule sets."""
        for attribute, value in list(getattr(self.made, "__dict__", {}).items()):
            for name, new in settings.items():
                if attribute.lstrip("_").startswith("current") and isinstance(value, float) and value == before.get(name):
                    setattr(self.made, attribute, new)


def _parts(state: Any) -> list[tuple[Any, Any]]:
    """The parts of a record, a dict or a tuple, by name or place."""
    if isinstance(state, dict):
        return list(state.items())
    if isinstance(state, tuple | list):
        return list(enumerate(state))
    return list(getattr(state, "__dict__", {}).items())


def _frozen(made: Any) -> bool:
    return bool(type(made).__dataclass_params__.frozen)


def _names(function: Any) -> set[str]:
    """Arguments that can be given by name."""
    try:
        return {p.name for p in inspect.signature(function).parameters.values() if p.kind is not p.POSITIONAL_ONLY}
    except (TypeError, ValueError):
        return set()


def _called(function: Any, given: Settings) -> Any:
    """By name, and those without a name in order."""
    parameters = inspect.signature(function).parameters.values()
    first = [given.pop(p.name) for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name in given]
    return function(*first, **given)


def _near(found: list[Any], before: list[np.ndarray]) -> bool:
    """Whether arrays lie nearer to the old parameters than to zero."""
    far = sum(float(np.sum(np.abs(numbers(f)))) for f in found[: len(before)])
    return sum(float(np.sum(np.abs(numbers(f) - b))) for f, b in zip(found, before, strict=False)) < far
