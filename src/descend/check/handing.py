"""In the child process: what a torch optimizer's constructor and step ask for besides parameters and their gradients."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from descend.check.loading import Failed
from descend.check.names import HYPER

if TYPE_CHECKING:
    from descend.check.plan import Plan

__all__ = ["Handed", "forwarded", "handings", "other_ways", "why_not"]

#: The learning rate of the SGD that a wrapper of optimizers is given.
INNER = 0.1
#: How many steps a run is said to have, where a constructor asks.
COUNT = 1000
_PARAMS = {"params", "parameters"}
_MODELS = {"model", "module", "net", "network"}
_OPTIMIZERS = {"optimizer", "base_optimizer", "inner_optimizer", "opt", "base"}
_COUNTS = ("num_", "n_", "total_", "max_iter", "t_max", "training_steps", "iterations")
#: Arguments that a constructor may pass on to what makes the groups.
_FORWARDED = HYPER | {"maximize", "amsgrad"}
#: How those that split parameters into matrices and the rest ask for it.
FLAG = "use_muon"
_KINDS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Handed:
    """A class together with what it is given by name: called with parameters and settings as any torch optimizer."""

    cls: Any
    #: Argument -> params, model, optimizer (an instance), class (of an optimizer) or count.
    roles: tuple[tuple[str, str], ...]
    #: What each parameter group is marked with.
    flags: tuple[str, ...] = ()

    def __call__(self, params: Any, **settings: Any) -> Any:
        given = {name: self._made(role, params) for name, role in self.roles}
        return self.cls(**given, **settings)

    def _made(self, role: str, params: Any) -> Any:
        import torch

        if role == "count":
            return COUNT
        if role == "class":
            return torch.optim.SGD
        if role == "optimizer":
            return torch.optim.SGD(params, lr=INNER)
        if role == "model":
            if any(isinstance(p, dict) for p in params):
                raise Failed("it takes a model, which has no parameter groups")
            return torch.nn.ParameterList(params)
        if not self.flags:
            return params
        marked = dict.fromkeys(self.flags, True)
        grouped = params if params and isinstance(params[0], dict) else [{"params": params}]
        return [group | marked for group in grouped]

    @property
    def text(self) -> str:
        """What is given, in words."""
        words = {"model": "given a model", "optimizer": "around torch's SGD", "class": "around torch's SGD"}
        told = [words[role] for _, role in self.roles if role in words]
        told += [f"{name} = {COUNT}" for name, role in self.roles if role == "count"]
        return ", ".join([*dict.fromkeys(told), *(f"{flag} = True" for flag in self.flags)])


def handings(cls: type, arguments: Sequence[Mapping[str, Any]]) -> tuple[Any, list[dict[str, Any]]]:
    """What to call with the parameters, and the arguments that are left as settings: the class itself where that will do."""
    required = _required(cls)
    roles = {p.name: _role(p) for p in required[1:]}
    found = {name: role for name, role in roles.items() if role is not None}
    rest = [dict(a) for a in arguments if a["name"] not in found]
    if not found:
        return cls, rest
    first = required[0]
    own = _role(first) if "params" in found.values() else None
    return Handed(cls, ((first.name, own or "params"), *found.items())), rest


def other_ways(plan: Plan, error: Exception) -> list[Plan]:
    """Plans that give a torch optimizer what it has just complained about."""
    said, ways = str(error), []
    if ("closure" in said or type(error).__name__ == "NoClosureError") and not plan.closure:
        ways.append(replace(plan, closure=True))
    if "grad_fn" in said and not plan.graph:
        ways.append(replace(plan, graph=True))
    cls, roles = _parts(plan)
    if roles is None or _backward_of(cls):
        return ways
    if (FLAG in said or "__contains__" in said) and not (isinstance(plan.target, Handed) and plan.target.flags):
        ways.append(replace(plan, target=Handed(cls, roles, (FLAG,))))
    first = _required(cls)[:1]
    role = (_role(first[0]) if first else None) or "params"
    if role in ("model", "optimizer", "class") and dict(roles)[first[0].name] == "params":
        ways.append(replace(plan, target=Handed(cls, ((first[0].name, role), *roles[1:]))))
    return ways


def why_not(plan: Plan, error: Exception, told: Failed) -> Failed:
    """A sentence that names what is missing, where a torch optimizer could not be driven in any way."""
    cls, _ = _parts(plan)
    unknown = [p.name for p in _required(cls)[1:] if _role(p) is None and p.name.lower() not in HYPER]
    if unknown:
        names = " and ".join(unknown)
        return Failed(f"it cannot be made without {names}, of which nothing is known here", told.line)
    own = _backward_of(cls)
    if own:
        return Failed(f"gradients reach it through its own {own}(loss, …), and a check has gradients and no loss")
    if isinstance(error, NotImplementedError):
        return Failed("its step() is not written (NotImplementedError)")
    if isinstance(error, ImportError):
        return Failed(f"it needs a package that is not installed: {error}")
    if "process group" in str(error):
        return Failed("it needs several processes: a process group of torch.distributed, which a check does not start")
    if isinstance(error, RuntimeError) and "shape" in str(error):
        return Failed(f"it asks more of its arrays than to be a 4 × 2 and a 2 × 3 matrix ({told})", told.line)
    return told


def forwarded(plan: Plan) -> list[dict[str, Any]]:
    """Hyperparameters that a constructor takes through **kwargs: those of its groups that it sets when they are given."""
    import torch

    cls, roles = _parts(plan)
    if roles is None or not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(cls).parameters.values()):
        return []
    from descend.check.plan import guessed_settings

    taken = set(inspect.signature(cls).parameters)
    settings = guessed_settings(plan)
    found = []
    try:
        group = _first_group(plan, torch, settings)
    except Exception:
        return []  # it was driven, with other parameters than the one it is asked with here
    for name, value in group.items():
        if name not in _FORWARDED or name in taken or not _plain(value):
            continue
        other = _other(value)
        try:
            now = _first_group(plan, torch, settings | {name: other})
        except Exception:
            continue
        if now.get(name) == other:
            found.append({"name": name, "default": value})
    return found


def _first_group(plan: Plan, torch: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    made = plan.target([torch.nn.Parameter(torch.ones(2, 2))], **settings)
    return dict(made.param_groups[0])


def _plain(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, tuple) and all(isinstance(x, float) for x in value))


def _other(value: Any) -> Any:
    """Another value of the same kind that is as valid."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return tuple(0.9 * x for x in value)
    return 0.9 * value if value else 0.01


def _backward_of(cls: Any) -> str | None:
    """A method of its own that takes the place of loss.backward()."""
    return next((n for n in sorted(dir(cls)) if n.endswith("backward") and not n.startswith("_")), None)


def _parts(plan: Plan) -> tuple[Any, tuple[tuple[str, str], ...] | None]:
    """The class, and what its arguments are given; no roles for a function that makes an optimizer."""
    if isinstance(plan.target, Handed):
        return plan.target.cls, plan.target.roles
    if not isinstance(plan.target, type):
        return plan.target, None
    first = _required(plan.target)[:1]
    return plan.target, tuple((p.name, "params") for p in first)


def _required(cls: Any) -> list[inspect.Parameter]:
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in parameters if p.default is p.empty and p.kind in _KINDS]


def _role(parameter: inspect.Parameter) -> str | None:
    """What an argument without a default is, by its name and, of an optimizer, by its annotation."""
    low, note = parameter.name.lower(), str(parameter.annotation)
    if low in _PARAMS:
        return "params"
    if low in _MODELS:
        return "model"
    if low in _OPTIMIZERS:
        instance = "type[" not in note.lower() and note.rstrip("'>").endswith("Optimizer")
        return "class" if low.startswith("base") and not instance else "optimizer"
    return "count" if low.startswith(_COUNTS) else None
