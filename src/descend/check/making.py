"""In the child process: what an optimizer needs before its first step: settings in a dict or an object, a first state."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

from descend.check.argument_roles import required
from descend.check.hands import Hand
from descend.check.names import HYPER, SYNONYMS
from descend.check.probes import SETTINGS

__all__ = ["PREPARES", "Config", "config_class", "first_states", "makes_state", "members", "namespace", "value_of"]

_COUNTS = {"t", "step", "k", "iteration", "i", "n", "it", "iter", "count", "step_count", "timestep", "num_steps", "steps"}
#: What is called once before the first step, with the parameters or with nothing.
PREPARES = (
    "build", "setup", "set_up", "initialize", "initialise", "init", "prepare", "register", "reset", "init_state", "init_params",
    "create_slots", "create_state", "attach", "bind", "set_params", "set_parameters", "add_params", "init_states", "allocate",
)  # fmt: skip
_MAKERS = ("init", "start", "make", "create", "zero", "new", "begin", "initial", "fresh", "empty")
_KEPT = ("state", "moment", "velocit", "slot", "buffer", "cache", "memory", "optim", "opt", "accum", "record", "zeros")
_STEPS = (
    "step", "update", "apply_gradients", "apply", "update_params", "optimize", "update_parameters", "get_update", "__call__",
    "apply_update", "update_weights", "train_step", "descend", "minimize_step", "apply_grads", "update_layer", "update_param",
)  # fmt: skip


def value_of(name: str) -> Any:
    """A value to try for a hyperparameter, by its name."""
    low = name.lower()
    ours = next((o for o, names in SYNONYMS.items() if low in names), None)
    return (0.9, 0.99) if low in ("betas",) else SETTINGS[0].get(ours or "", 0.1)


class Config(dict[str, Any]):
    """Hyperparameters as entries and as attributes. What is asked for and not there is noted, and a value of ours given."""

    def __init__(self, values: dict[str, Any], count: int = 1) -> None:
        super().__init__(values)
        self.__dict__["asked"], self.__dict__["count"] = {}, count

    def __missing__(self, name: str) -> Any:
        low = str(name).lower()
        if low in HYPER:
            self.asked.setdefault(name, None)
            self[name] = value_of(name)
        elif low in _COUNTS:
            self[name] = self.count
        else:
            raise KeyError(name)
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        """As of a dict; the default is noted."""
        self._note(name, default)
        return super().get(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """As of a dict; the default is noted."""
        self._note(name, default)
        return super().setdefault(name, default)

    def _note(self, name: str, default: Any) -> None:
        if name not in self and isinstance(default, int | float | tuple) and str(name).lower() in HYPER:
            self.asked.setdefault(name, default)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no {name!r} here", name=name, obj=self) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def config_class(function: Callable[..., Any], name: str) -> type | None:
    """The dataclass that an argument is annotated with, where all of its fields can be given."""
    parameter = inspect.signature(function).parameters.get(name)
    found = parameter.annotation if parameter is not None else None
    if isinstance(found, str):
        home = inspect.unwrap(getattr(function, "__init__", function) if isinstance(function, type) else function)
        found = getattr(home, "__globals__", {}).get(found)
    if isinstance(found, type) and (dataclasses.is_dataclass(found) or hasattr(found, "_fields")):
        return found
    return None


def namespace(made: Any) -> Any:
    """Functions in a tuple, a list or a dict as attributes; anything else as it is."""
    if isinstance(made, dict) and made and all(isinstance(k, str) and callable(v) for k, v in made.items()):
        return types.SimpleNamespace(**made)
    if isinstance(made, tuple | list) and made and all(callable(f) for f in made):
        usual = ("init", "update", "get_params")
        names = [getattr(f, "__name__", "") for f in made]
        names = [n if n.isidentifier() and names.count(n) == 1 else u for n, u in zip(names, (*usual, *names), strict=False)]
        if not hasattr(made, "_fields"):
            return types.SimpleNamespace(**dict(zip(names, made, strict=True)))
    return made


def members(made: Any) -> list[str]:
    """What may be its step: the usual names first, then whatever public method asks for gradients; "" for itself."""
    if inspect.isfunction(made) or inspect.ismethod(made) or inspect.isbuiltin(made):
        return [""]
    found = [n for n in _STEPS if callable(getattr(made, n, None))]
    for name in dir(made):
        if name.startswith("_") or name in found or name in PREPARES:
            continue
        function = inspect.getattr_static(type(made), name, getattr(made, "__dict__", {}).get(name))
        if isinstance(function, property) or not callable(getattr(made, name, None)):
            continue
        try:
            words = {p.name.lower() for p in required(getattr(made, name))}
        except (TypeError, ValueError):
            continue
        if any("grad" in w or w in ("g", "dw", "layer", "model", "net") for w in words):
            found.append(name)
    return found


def first_states(many: int, makers: list[Callable[..., Any]], hand: Hand, config: Any) -> Iterator[list[Any]]:
    """What the arguments that carry a state may start as, `many` of them: what a maker gives, then the plain ones."""
    for maker in makers:
        for given in _given(maker, hand, config):
            try:
                found = maker(*given)
            except Exception:
                continue
            if found is None:
                continue
            if many == 1:
                yield [found]
            elif isinstance(found, tuple | list) and len(found) == many:
                yield list(found)
            break

    def zeros() -> Any:
        return hand.packed([c * 0 for c in hand.cells])

    yield [{} for _ in range(many)]
    yield [None] * many
    yield [zeros() for _ in range(many)]
    if many == 1:
        yield [(zeros(), zeros())]
        yield [(zeros(), zeros(), 0)]
        yield [[(c * 0, c * 0) for c in hand.cells]]
        yield [[]]
        yield [{"m": zeros(), "v": zeros(), "t": 0}]
        yield [[{} for _ in hand.cells]]
        yield [(hand.p, zeros(), zeros(), 0)]
        yield [(hand.p, zeros(), 0)]
        yield [(hand.p, zeros(), zeros())]
        yield [(hand.p, zeros())]
    yield [0.0] * many


def counters(names: list[str], hand: Hand, values: list[Any]) -> list[Any]:
    """Among several zeros those whose name counts are numbers, one for each array."""
    found = []
    for name, value in zip(names, values, strict=True):
        if "step" in name.lower() and isinstance(value, list) and value and hasattr(value[0], "shape"):
            value = [c.ravel()[0] * 0 for c in hand.cells] if hasattr(value[0], "detach") else [0 for _ in hand.cells]
        found.append(value)
    return found


def _given(maker: Callable[..., Any], hand: Hand, config: Any) -> Iterator[tuple[Any, ...]]:
    """Arguments to try on what makes a state: parameters, shapes, nothing."""
    try:
        many = len(required(maker, also=False))
    except (TypeError, ValueError):
        return
    if many == 0:
        positional = [p for p in inspect.signature(maker).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        if positional:
            yield (hand.p,)
        yield ()
        return
    shapes = [tuple(c.shape) for c in hand.cells]
    first: list[Any] = [hand.p, shapes[0] if hand.single else shapes, hand.cells[0].size if hand.single else len(shapes)]
    for value in first:
        yield (value,) if many == 1 else (value, config) if many == 2 else (value, *([0.0] * (many - 1)))


def makes_state(word: str, name: str, method: bool = False) -> bool:
    """Whether a function says that it makes a state: no other of a user's functions is to be called.

    A method may prepare the object as well.
    """
    low = word.lower().lstrip("_")
    kept = [*_KEPT, *(part for part in name.split("_") if len(part) > 2)]
    made = low.startswith(_MAKERS) and any(k in low for k in kept)
    return made or low in ("init", "initialize", "initialise") or low.endswith("_init") or (method and low in PREPARES)


def state_makers(made: Any, target: Any, annotated: list[type]) -> list[Callable[..., Any]]:
    """What may make a first state: a method, a function beside it, a class of states."""
    found: list[Callable[..., Any]] = []
    for name in dir(made) if made is not target and not inspect.isfunction(made) else ():
        plain = not name.startswith("_") and name not in _STEPS
        if plain and makes_state(name, "", method=True) and callable(getattr(made, name, None)):
            found.append(getattr(made, name))
    found.sort(key=lambda f: not getattr(f, "__name__", "").startswith("init"))
    functions, classes = _beside(target)
    for cls in [*annotated, *classes]:
        makers = [n for n in vars(cls) if isinstance(vars(cls)[n], classmethod | staticmethod) and not n.startswith("_")]
        found += [getattr(cls, n) for n in makers]
        found.append(_of_fields(cls))
    return found + functions


def _beside(target: Any) -> tuple[list[Callable[..., Any]], list[type]]:
    """Functions of the same module that make a state, the one named most alike first, and its classes of states."""
    home = inspect.unwrap(target) if callable(target) else target
    module = getattr(home, "__module__", None)
    if isinstance(home, type):
        home = next((f for f in vars(home).values() if inspect.isfunction(f)), None)
    space = getattr(home, "__globals__", {})
    name = getattr(target, "__name__", "").lower()
    functions, classes = [], []
    for word, value in list(space.items()):
        if getattr(value, "__module__", None) != module or value is target:
            continue
        low = word.lower()
        if isinstance(value, type):
            if any(w in low for w in ("state", "memory", "slots", "moments", "buffers", "cache", "kept")):
                classes.append(value)
        elif callable(value) and makes_state(word, name):
            functions.append(value)
    functions.sort(key=lambda f: not any(part in f.__name__.lower() for part in name.split("_") if len(part) > 2))
    return functions, classes


def _of_fields(cls: type) -> Callable[..., Any]:
    """A state with zeros in the fields that have no default, a count of 0."""

    def make(like: Any) -> Any:
        given = {}
        for p in required(cls, also=False):
            given[p.name] = 0 if p.name.lower() in _COUNTS else like * 0 if hasattr(like, "shape") else _zeros(like)
        return cls(**given)

    return make


def _zeros(like: Any) -> Any:
    return {k: v * 0 for k, v in like.items()} if isinstance(like, dict) else [v * 0 for v in like]
