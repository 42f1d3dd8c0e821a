"""How torch.optim names what our rules name: keys of parameter groups, entries of the state. Nothing here imports torch.

An adapter keeps groups and state under torch's names, so that a state_dict goes from one to the other as it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import descend.optimizers  # noqa: F401  (fills the registry)
from descend.errors import DescendError
from descend.rules import COMMON, OPTIMIZERS, Optimizer, Rule

__all__ = ["TORCH", "Names", "as_tuple", "is_tensor_number", "names_of", "options_of", "rule_of"]

Hyper = Mapping[str, Any]


@dataclass(frozen=True)
class Names:
    """One rule in torch's words. What is not listed has the same name in both."""

    #: The class of torch.optim, or "" where torch has no such rule.
    cls: str = ""
    #: torch's key in a parameter group -> our hyperparameter, or several that it holds as a tuple.
    keys: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    #: Our slot -> torch's entry of the state.
    slots: Mapping[str, str] = field(default_factory=dict)
    #: torch's keys whose value says which rule it is.
    fixed: Mapping[str, Any] = field(default_factory=dict)
    #: Our single numbers that torch does not store: slot -> their value after `step` steps.
    derived: Mapping[str, Callable[[int, Hyper], float]] = field(default_factory=dict)
    #: Whether torch counts the steps in its state.
    counts: bool = True
    #: Our hyperparameters for which torch writes None -> the value that stands for it with us.
    unset: Mapping[str, Any] = field(default_factory=dict)


Keys = dict[str, str | tuple[str, ...]]
_BETAS: Keys = {"betas": ("beta1", "beta2")}
_DECOUPLED: Keys = {"decoupled_weight_decay": "decoupled"}
_MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}


def _first_undampened(step: int, hyper: Hyper) -> float:
    return 1.0 if step == 0 else 1 - float(hyper["dampening"])


#: The rules torch.optim has.
TORCH: dict[str, Names] = {
    "sgd": Names("SGD", fixed={"momentum": 0, "dampening": 0, "nesterov": False}, counts=False),
    "momentum": Names(
        "SGD", slots={"b": "momentum_buffer"}, fixed={"nesterov": False}, derived={"w": _first_undampened}, counts=False
    ),
    "nesterov": Names("SGD", slots={"b": "momentum_buffer"}, fixed={"dampening": 0, "nesterov": True}, counts=False),
    "asgd": Names("ASGD"),
    "rmsprop": Names("RMSprop", {"alpha": "rho"}, {"v": "square_avg", "a": "grad_avg", "b": "momentum_buffer"}),
    "adagrad": Names("Adagrad", {"initial_accumulator_value": "v0"}, {"v": "sum"}),
    "adadelta": Names("Adadelta", {}, {"v": "square_avg", "u": "acc_delta"}),
    "rprop": Names("Rprop", {"etas": ("eta_minus", "eta_plus"), "step_sizes": ("step_min", "step_max")}, {"d": "step_size"}),
    "adafactor": Names(
        "Adafactor",
        {"eps": ("eps1", "eps2")},
        {"r": "row_var", "c": "col_var", "v": "variance"},
        unset={"eps1": 0.0},
    ),
    "adam": Names("Adam", _BETAS | _DECOUPLED, _MOMENTS, {"amsgrad": False}),
    "adamw": Names("AdamW", _BETAS, _MOMENTS, {"amsgrad": False, "decoupled_weight_decay": True}),
    "amsgrad": Names("Adam", _BETAS | _DECOUPLED, _MOMENTS | {"v_max": "max_exp_avg_sq"}, {"amsgrad": True}),
    "adamax": Names("Adamax", _BETAS, {"m": "exp_avg", "u": "exp_inf"}),
    "nadam": Names("NAdam", _BETAS | _DECOUPLED, _MOMENTS),
    "radam": Names("RAdam", _BETAS | _DECOUPLED, _MOMENTS),
    "muon": Names(
        "Muon",
        {"ns_coefficients": ("ns_a", "ns_b", "ns_c"), "adjust_lr_fn": "scale"},
        {"b": "momentum_buffer"},
        unset={"scale": "original"},
        counts=False,
    ),
}


def options_of(rule: Rule) -> list[str]:
    """The common options a rule takes; one with a weight decay of its own says itself where it acts."""
    own = rule.hyperparameters
    return [name for name in COMMON if name not in own and not (name == "decoupled" and "weight_decay" in own)]


def names_of(rule: Rule) -> Names:
    """The names a rule's groups and state are kept under: torch's where it has the rule, else ours with `betas` a tuple."""
    known = TORCH.get(rule.name)
    keys = dict(known.keys) if known else {}
    if known is None:
        betas = tuple(name for name in ("beta1", "beta2", "beta3") if name in rule.hyperparameters)
        if len(betas) > 1:
            keys["betas"] = betas
    taken = {ours for names in keys.values() for ours in ((names,) if isinstance(names, str) else names)}
    own: Keys = {name: name for name in rule.hyperparameters if name not in taken}
    shared: Keys = {name: name for name in options_of(rule) if name not in taken}
    keys = own | keys | shared
    if known is None:
        return Names(keys=keys)
    return replace(known, keys=keys)


def rule_of(cls: Any, **settings: Any) -> Optimizer:
    """The rule that a class of torch.optim follows with these settings, as one of ours.

    >>> import torch
    >>> rule_of(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True).name
    'nesterov'
    """
    defaults = {k: p.default for k, p in inspect.signature(cls).parameters.items() if k != "params"}
    for key in settings:
        if key not in defaults:
            raise DescendError(f"torch.optim.{cls.__name__} has no {key!r}; it has {', '.join(defaults)}")
    given = defaults | settings | ({"decoupled_weight_decay": True} if cls.__name__ == "AdamW" else {})
    family = ("AdamW", "Adam") if cls.__name__ == "AdamW" else (cls.__name__,)
    for name, names in sorted(TORCH.items(), key=lambda item: item[1].cls not in family[:1]):
        if names.cls in family and all(given.get(k) == v for k, v in names.fixed.items()):
            return _translated(OPTIMIZERS[name], given)
    raise DescendError(f"no rule here follows torch.optim.{cls.__name__}; L-BFGS and SparseAdam are not dense rules")


def _translated(rule: Rule, given: Mapping[str, Any]) -> Optimizer:
    names = names_of(rule)
    values: dict[str, Any] = {}
    for key, ours in names.keys.items():
        if key in given and isinstance(ours, str):
            values[ours] = given[key]
        elif key in given:
            values |= zip(ours, as_tuple(key, given[key], len(ours)), strict=True)
    for name, value in values.items():
        if value is None and name in names.unset:
            values[name] = names.unset[name]
        is_tensor_number(value, name)
    for key in ("capturable", "differentiable", "fused"):
        if given.get(key):
            raise DescendError(f"{key}=True is an implementation of torch's own optimizers; leave it off here")
    return rule(**values)


def as_tuple(key: str, value: Any, length: int) -> Sequence[Any]:
    """The value of one of torch's keys that is a tuple, or a sentence."""
    if not isinstance(value, tuple | list) or len(value) != length:
        raise DescendError(f"{key} is a tuple of {length} numbers; got {value!r}")
    return value


def is_tensor_number(value: Any, name: str) -> bool:
    """Whether a value is a tensor of one element; a longer one is one sentence."""
    if not hasattr(value, "numel"):
        return False
    if value.numel() != 1:
        raise DescendError(f"{name} is one number; got a tensor of shape {tuple(value.shape)}")
    return True
