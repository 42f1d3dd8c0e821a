"""How torch.optim names what our rules name: keys of parameter groups, entries of the state. Nothing here imports torch.

An adapter keeps groups and state under torch's names, so that a state_dict goes from one to the other as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from descend.rules import COMMON, Rule

__all__ = ["TORCH", "Names", "names_of", "options_of"]

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
