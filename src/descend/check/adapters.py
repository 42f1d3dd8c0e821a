"""In the child process: find out what an object is, and how it is to be driven."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from descend.check.driversession import DriverSession
from descend.check.loading import Failed, failure
from descend.check.names import SYNONYMS, TUPLES
from descend.check.plainsession import PlainSession
from descend.check.probes import SETTINGS
from descend.check.sessions import ArenaSession, KerasSession, Layout, OptaxSession, Session, TorchSession
from descend.check.styledsession import StyledSession, Way
from descend.check.styles import Tried, styled

__all__ = ["ADAPTERS", "Plan", "open_session", "plan_for"]

#: The names `--adapter` takes.
ADAPTERS = ("torch", "optax", "keras", "arena", "class", "function")

_P = frozenset(
    [
        "p",
        "param",
        "params",
        "parameter",
        "parameters",
        "w",
        "weight",
        "weights",
        "theta",
        "x",
        "variables",
        "ps",
        "thetas",
        "point",
        "ws",
        "values",
        "var",
        "trainable_params",
        "model_params",
    ]
)
_G = frozenset(
    "g grad grads gradient gradients dw dx gs dp dtheta dws grad_w gradient_vector grad_wrt_w derivative".split()  # noqa: SIM905
)
_S = {"state", "s", "config", "cache", "opt_state", "optim_state", "memory", "st", "states", "buffers", "optimizer_state"}
_T = {"t", "step", "k", "iteration", "i", "n", "it", "iter", "timestep", "step_num", "epoch", "count", "step_count", "num_step"}
_METHODS = (
    "step",
    "update",
    "apply_gradients",
    "apply",
    "update_params",
    "optimize",
    "update_parameters",
    "get_update",
    "__call__",
)
_HYPER = {name for names in SYNONYMS.values() for name in names} | set(TUPLES)
_PLURAL = {
    "params",
    "parameters",
    "weights",
    "ps",
    "thetas",
    "grads",
    "gradients",
    "gs",
    "dws",
    "ws",
    "variables",
    "trainable_params",
}


@dataclass
class Plan:
    """How an object is driven: the adapter, the method, what each argument is, and in what parameters are handed over."""

    adapter: str
    target: Any
    arguments: list[dict[str, Any]] = field(default_factory=list)
    method: str = ""
    #: Role of each positional argument of the method or function: p, g, state, t, or slot:<name>.
    roles: tuple[str, ...] = ()
    container: str = "list"
    takes_params: bool = False
    #: What a state argument starts as: "empty", "none", "zeros", or "init" for the module's own function.
    state: str = "empty"
    init: Callable[..., Any] | None = None
    #: Arguments that are kept from step to step start as None.
    nones: bool = False
    #: It takes a gradient function and makes its own loop.
    drives: bool = False
    #: A style of its own, found by trying.
    way: Way | None = None
    #: torch tensors or NumPy arrays.
    arrays: str = "numpy"
    #: Compiled updates of optax transformations, by setting and shapes.
    programs: dict[str, Any] = field(default_factory=dict)
    #: Whether torch's default type is float64 while it runs, so that single numbers of a state are kept in float64 as well.
    double: bool = True

    @property
    def text(self) -> str:
        """How it is driven, in words."""
        if self.way is not None:
            return self.way.text
        if self.drives:
            return "function that minimises by itself, given a gradient function and a number of steps"
        if self.adapter in ("class", "function"):
            name = f".{self.method}" if self.method else ""
            roles = ", ".join(r.removeprefix("slot:") for r in self.roles)
            library = "NumPy" if self.arrays == "numpy" else "torch"
            return f"{library} {self.adapter}{name}({roles}), {_CONTAINERS[self.container]}"
        return {
            "torch": "torch.optim.Optimizer",
            "optax": "optax transformation",
            "keras": "Keras optimizer",
            "arena": f"class over parameters with .grad ({self.arrays})",
        }[self.adapter]


_CONTAINERS = {"list": "a list of arrays", "array": "one array at a time", "dict": "a dict of arrays"}


def plan_for(target: Any, name: str, path: str | None, adapter: str | None, hyper: Sequence[str] = ()) -> Plan:
    """The plan that works, tried on two small steps; a `Failed` with the user's line where none does."""
    plans = _plans(target, name, adapter, frozenset(hyper))
    found, quiet, failed = _first_that_moves(plans, path)
    if found is not None:
        return found
    tried = Tried()
    if callable(target) and adapter in (None, "class" if isinstance(target, type) else "function"):
        other = styled(Plan("function", target), tried)
        if other is not None and (quiet is None or (other.way and other.way.mode == "home")):
            return other
    if quiet is not None:
        return quiet
    if failed is None:
        raise Failed(f"{name} is not an optimizer that can be driven: it is {_what(target)}; {tried.text}")
    raise Failed(f"{failed}; {tried.text}" if tried.forms else str(failed), failed.line)


def _first_that_moves(plans: list[Plan], path: str | None) -> tuple[Plan | None, Plan | None, Failed | None]:
    """The first plan that moves parameters; else one that runs and moves nothing, and what the first of them failed of."""
    first: Failed | None = None
    telling: Failed | None = None
    quiet: Plan | None = None
    for plan in plans:
        if quiet is not None and plan.arrays != quiet.arrays:
            continue  # it runs on the arrays it is written for and moves nothing: no other kind of array is asked
        try:
            moved = _tried(plan)
        except Exception as error:
            if plan.adapter == "torch" and plan.double and "dtype" in str(error):
                plans.append(replace(plan, double=False))  # its own numbers are float32 by name
            told = error if isinstance(error, Failed) else failure(error, path)
            first = first or told
            telling = telling or (told if isinstance(error, Failed) else None)
            continue
        if moved:
            return plan, None, None
        quiet = quiet or plan
    return None, quiet, telling or first


def _what(target: Any) -> str:
    if isinstance(target, type):
        return f"a class without {', '.join(_METHODS[:3])}"
    return "a function without arguments" if callable(target) else f"a {type(target).__name__}"


def _tried(plan: Plan) -> bool:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(4, 2)), rng.normal(size=(2, 3))]
    session = open_session(plan, arrays, guessed_settings(plan), None, "float64")
    for _ in range(2):
        session.step([rng.normal(size=a.shape) for a in arrays])
        points = session.points()
        for p, a in zip(points, arrays, strict=True):
            if np.shape(p) != a.shape:
                raise Failed(f"the parameters come back in other shapes: {np.shape(p)} where {a.shape} went in")
    return any(not np.array_equal(p, a) for p, a in zip(points, arrays, strict=True))


def guessed_settings(plan: Plan) -> dict[str, Any]:
    """Values for arguments that have no default."""
    made: dict[str, Any] = {}
    for argument in plan.arguments:
        if "default" in argument:
            continue
        name = argument["name"].lower()
        ours = next((o for o, names in SYNONYMS.items() if name in names), None)
        made[argument["name"]] = SETTINGS[0].get(ours or "", 0.1)
        if name in TUPLES:
            made[argument["name"]] = (0.9, 0.99)
    return made


def open_session(
    plan: Plan, arrays: list[np.ndarray], settings: dict[str, Any], groups: Any, dtype: str, layout: Sequence[str] = ()
) -> Session:
    """A fresh optimizer with these parameters; `layout` names what lies in memory columns first: "params", "grads"."""
    laid = Layout("params" in layout, "grads" in layout)
    defaults = {a["name"]: a.get("default") for a in plan.arguments}
    settings = {
        k: tuple(v) if isinstance(v, list) and isinstance(defaults.get(k, ()), tuple) else v for k, v in settings.items()
    }
    if plan.adapter == "torch":
        return TorchSession(plan.target, arrays, settings, groups, dtype, laid, plan.double)
    if groups:
        raise Failed("it has no parameter groups")
    if plan.adapter == "arena":
        return ArenaSession(plan.target, arrays, settings, dtype, laid, plan.arrays)
    if layout and plan.adapter in ("optax", "keras"):
        raise Failed("its arrays have no layout of their own")
    if plan.adapter == "optax":
        return OptaxSession(plan.target, arrays, settings, dtype, plan.programs)
    if plan.adapter == "keras":
        return KerasSession(plan.target, arrays, settings, dtype)
    if plan.way is not None:
        return StyledSession(plan, arrays, settings, dtype, laid)
    if plan.drives:
        return DriverSession(plan, arrays, settings, dtype, laid)
    return PlainSession(plan, arrays, settings, dtype, laid)


def _plans(target: Any, name: str, adapter: str | None, hyper: frozenset[str]) -> list[Plan]:
    if adapter is not None and adapter not in ADAPTERS:
        raise Failed(f"there is no adapter {adapter!r}; there are {', '.join(ADAPTERS)}")
    found = _library_plans(target, adapter)
    if found:
        return found
    if isinstance(target, type):
        plans = _class_plans(target)
    elif callable(target):
        pair = _pair_class(target)
        plans = _class_plans(pair) if pair is not None else _function_plans(target, name, hyper)
    else:
        return []
    return [p for p in plans if adapter is None or p.adapter == adapter]


def _library_plans(target: Any, adapter: str | None) -> list[Plan]:
    if "torch" in sys.modules and adapter in (None, "torch"):
        import torch

        if isinstance(target, type) and issubclass(target, torch.optim.Optimizer):
            return [Plan("torch", target, _arguments(_initializer(target), skip=2))]
        if (adapter == "torch" and callable(target)) or _makes_torch(torch, target):
            return [Plan("torch", target, _arguments(target, skip=1))]
    if "keras" in sys.modules and adapter in (None, "keras") and isinstance(target, type):
        import keras

        if issubclass(target, keras.optimizers.Optimizer):
            return [Plan("keras", target, _arguments(_initializer(target), skip=1))]
    if "jax" in sys.modules and adapter in (None, "optax"):
        plan = _optax_plan(target)
        if plan is not None:
            return [plan]
    return []


def _makes_torch(torch: Any, target: Any) -> bool:
    """Whether a function (or a partial) of parameters makes a torch optimizer: it is asked for one on a small parameter."""
    if isinstance(target, type) or not callable(target):
        return False
    try:
        first, *rest = inspect.signature(target).parameters.values()
        given = [p.name for p in rest if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        if first.name.lower() not in _P or any(_role(n) for n in given):
            return False
        settings = guessed_settings(Plan("torch", target, _arguments(target, skip=1)))
        made = target([torch.nn.Parameter(torch.zeros(2))], **settings)
    except Exception:
        return False
    return isinstance(made, torch.optim.Optimizer)


def _pair_class(target: Callable[..., Any]) -> type | None:
    """A function that makes init(params) and update(params, grads, state), as a class that keeps the state."""
    try:
        made = target(**guessed_settings(Plan("function", target, _arguments(target, skip=0))))
        first, second = made
        names = [p.name for p in _positional(second, 0)]
    except Exception:
        return None
    roles = _in_order(names)
    if not (callable(first) and callable(second)) or {"p", "g", "state"} - set(roles):
        return None

    class Pair:
        def __init__(self, **settings: Any) -> None:
            self.init, self.update_ = target(**settings)
            self.state: Any = None

        def step(self, params: Any, grads: Any) -> Any:
            self.state = self.init(params) if self.state is None else self.state
            values = {"p": params, "g": grads, "state": self.state}
            found = self.update_(*(values[r] for r in roles))
            one, other = found if not isinstance(found, dict) else (found, self.state)
            new, self.state = (other, one) if _same_tree(one, self.state) and not _same_tree(one, params) else (one, other)
            return new

    Pair.__init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *inspect.signature(target).parameters.values()]
    )
    Pair.__name__ = getattr(target, "__name__", "Pair")
    return Pair


def _same_tree(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (not isinstance(a, dict) or set(a) == set(b))


def _optax_plan(target: Any) -> Plan | None:
    if hasattr(target, "init") and hasattr(target, "update") and not isinstance(target, type):
        return Plan("optax", lambda: target, [])
    if isinstance(target, type) or not callable(target):
        return None
    plan = Plan("optax", target, _arguments(target, skip=0))
    try:
        made = target(**guessed_settings(plan))
    except Exception:
        return None
    return plan if hasattr(made, "init") and hasattr(made, "update") else None


def _arguments(function: Any, skip: int) -> list[dict[str, Any]]:
    """Arguments that can be given by name, without the first ones; defaults where they are plain."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (TypeError, ValueError):
        return []
    found: list[dict[str, Any]] = []
    for p in parameters:
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY):
            continue
        entry: dict[str, Any] = {"name": p.name}
        if p.default is not p.empty:
            plain = isinstance(p.default, bool | int | float | str | tuple | list) or p.default is None
            entry["default"] = p.default if plain else str(p.default)
        found.append(entry)
    return found


def _role(name: str) -> str | None:
    low = name.lower().strip("_")
    for names, role in ((_P, "p"), (_G, "g"), (_S, "state"), (_T, "t")):
        if low in names:
            return role
    if low in _HYPER:
        return None
    if low.startswith(("grad", "dw", "d_")):
        return "g"
    if low.startswith(("param", "weight", "theta")):
        return "p"
    return f"slot:{name}"


def _positional(function: Any, skip: int) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in list(inspect.signature(function).parameters.values())[skip:] if p.kind in kinds]


def _steppers(cls: type) -> list[str]:
    """Other public methods that take gradients."""
    found = []
    for name, function in vars(cls).items():
        if inspect.isfunction(function) and not name.startswith("_") and name not in _METHODS:
            roles = {_role(p.name) for p in _positional(function, 1)}
            if "g" in roles:
                found.append(name)
    return found


def _initializer(cls: type) -> Any:
    return getattr(cls, "__init__")  # noqa: B009  (asked of the class, not of an instance)


def _class_plans(cls: type) -> list[Plan]:
    made = _initializer(cls)
    own = made is not object.__init__
    init = _positional(made, 1) if own else []
    takes = bool(init) and init[0].name.lower() in _P and init[0].default is inspect.Parameter.empty
    arguments = _arguments(made, 1 + takes) if own else []
    plans: list[Plan] = []
    for method in (*_METHODS, *_steppers(cls)):
        function = inspect.getattr_static(cls, method, None)
        if function is None or not callable(getattr(cls, method, None)) or (method == "__call__" and plans):
            continue
        skip = 0 if isinstance(function, staticmethod) else 1
        given = _positional(getattr(cls, method), skip)
        required = [p for p in given if p.default is p.empty]
        base = Plan("class", cls, arguments, method, takes_params=takes)
        if not required and takes:
            torch_first = "torch" in sys.modules
            kinds = ["torch", "numpy"] if torch_first else ["numpy"]
            plans += [replace(base, adapter="arena", arrays=k) for k in kinds]
        elif required:
            plans += _with_containers(base, _in_order([p.name for p in required]))
    return plans


def _in_order(names: list[str]) -> tuple[str, ...]:
    """Roles by name; where no name says it, parameters come first and gradients second."""
    roles = [_role(n) or "hyper" for n in names]
    if "g" not in roles and len(roles) == 1:
        roles = ["g"]
    if len(roles) >= 2 and "g" not in roles:
        roles[1 if roles[0] == "p" else 0 if "p" in roles else 1] = "g"
    if len(roles) >= 2 and "p" not in roles and roles[0] != "g":
        roles[0] = "p"
    return tuple(roles)


def _with_containers(base: Plan, roles: tuple[str, ...]) -> list[Plan]:
    names = set()
    function = getattr(base.target, base.method) if base.method else base.target
    for p in _positional(function, 0):
        names.add(p.name.lower())
    plural = bool(names & _PLURAL) or base.takes_params
    order = ["list", "array", "dict"] if plural else ["array", "list", "dict"]
    arrays = ["numpy"]
    if "torch" in sys.modules:
        arrays = ["torch", "numpy"] if _speaks_torch(base.target) else ["numpy", "torch"]
    states = ["empty", "none", "zeros"] if "state" in roles else ["empty"]
    return [replace(base, roles=roles, container=c, arrays=a, state=s) for c in order for a in arrays for s in states]


def _speaks_torch(target: Any) -> bool:
    """Whether the code of a function, or of a class's methods, names torch: it may be imported for something else."""
    functions = [target, *vars(target).values()] if isinstance(target, type) else [target]
    codes = [code for f in functions if (code := getattr(f, "__code__", None)) is not None]
    return any("torch" in code.co_names or "torch" in code.co_freevars for code in codes)


def _function_plans(function: Callable[..., Any], name: str, hyper: frozenset[str]) -> list[Plan]:
    try:
        given = _positional(function, 0)
    except (TypeError, ValueError):
        return []
    driven = _driver_plan(function, given, hyper)
    plain = _plain_plans(function, given, name, hyper, ())
    kept = _plain_plans(function, given, name, hyper, (None,))
    more = [replace(p, nones=True) for p in kept if p.roles != (plain[0].roles if plain else ())]
    return more + plain + driven


def _plain_plans(
    function: Callable[..., Any], given: list[inspect.Parameter], name: str, hyper: frozenset[str], allowed: tuple[None, ...]
) -> list[Plan]:
    """One step a call; arguments whose default is in `allowed` may be what is kept from step to step."""
    names: list[str] = []
    roles: list[str] = []
    for p in given:
        role = None if p.name in hyper else _role(p.name)
        if role is None or (p.default not in (p.empty, *allowed) and role.startswith("slot:")):
            break
        names.append(p.name)
        roles.append(role)
    if not roles:
        return []
    fixed = _in_order(names)
    arguments = [a for a in _arguments(function, 0) if a["name"] not in names]
    states = any(r == "state" for r in fixed)
    init = _init_of(function, name) if states else None
    plans = _with_containers(Plan("function", function, arguments), fixed)
    return [replace(p, state="init", init=init) for p in plans if p.state == "empty"] * (init is not None) + plans


def _init_of(function: Callable[..., Any], name: str) -> Callable[..., Any] | None:
    """A function of the same module that makes the first state."""
    function = inspect.unwrap(function)
    space = getattr(function, "__globals__", {})
    stem = name.removesuffix("_step").removesuffix("_update")
    for other in (
        f"{name}_init",
        f"init_{name}",
        f"{stem}_init",
        f"init_{stem}",
        "init_state",
        "init",
        "initialize",
        "make_state",
    ):
        found = space.get(other)
        if callable(found):
            return found  # type: ignore[no-any-return]
    for word, found in space.items():
        own = getattr(found, "__module__", None) == getattr(function, "__module__", "") and inspect.isfunction(found)
        if own and found is not function and any(part in word.lower() for part in ("init", "state", "zeros", "start")):
            asked = [p for p in _positional(found, 0) if p.default is p.empty]
            if len(asked) == 1:
                return found  # type: ignore[no-any-return]
    return None


_RULES_OF_X = {"grad_fn", "gradient_fn", "grad", "gradient", "grad_f", "df", "fprime", "g", "jac", "gradf", "grad_func", "dfdx"}
_STARTS = {"x0", "theta0", "w0", "p0", "init", "start", "x_init", "x_start", "theta_init", "initial", "params0"}
_LENGTHS = {"n_steps", "num_iters", "steps", "n_iter", "n_iters", "max_iter", "iterations", "niter", "epochs", "maxiter"} | {
    "num_steps", "iters", "max_iters", "max_steps", "num_iter", "num_iterations", "nsteps", "n_iterations",
}  # fmt: skip
_VALUES = {"f", "fun", "func", "loss", "loss_fn", "cost", "objective", "fn"}


def _driver_plan(function: Callable[..., Any], given: list[inspect.Parameter], hyper: frozenset[str]) -> list[Plan]:
    """A function that minimises by itself: given a gradient function, a start and a number of steps."""
    roles: dict[str, str] = {}
    everything = list(inspect.signature(function).parameters.values())
    for p in everything:
        low = p.name.lower()
        role = next((r for names, r in ((_LENGTHS, "n"), (_STARTS | _P, "x"), (_VALUES, "f")) if low in names), None)
        role = "df" if low in _RULES_OF_X and "df" not in roles.values() else role
        if role and role not in roles.values() and p.name not in hyper:
            roles[p.name] = role
    if not {"df", "x", "n"} <= set(roles.values()):
        return []
    arguments = [a for a in _arguments(function, 0) if a["name"] not in roles and a.get("default", 0) is not None]
    plan = Plan(
        "function", function, arguments, method="", roles=tuple(f"{r}:{n}" for n, r in roles.items()), container="array"
    )
    kinds = ["torch", "numpy"] if "torch" in sys.modules and _speaks_torch(function) else ["numpy"]
    return [replace(plan, arrays=k, drives=True) for k in kinds]
