"""How people name the hyperparameters of optimizers, mapped to the names of ours."""

# ruff: noqa: E501  (a table: one name a line)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from descend.errors import DescendError
from descend.rules import Rule
from descend.torch_names import TORCH

__all__ = ["Mapped", "map_names", "rule_named"]

#: Our name -> what others call it, most usual first. A name is taken by the first of ours that is still free.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "lr": ("lr", "learning_rate", "learningrate", "step_size", "stepsize", "eta", "alpha", "rate", "lrate", "a", "max_learning_rate", "max_lr"),
    "beta1": ("beta1", "beta_1", "b1", "momentum", "beta", "mu"),
    "beta2": ("beta2", "beta_2", "b2", "rho", "decay_rate"),
    "beta3": ("beta3", "beta_3", "b3"),
    "momentum": ("momentum", "beta", "mu", "gamma", "mom", "decay", "rho", "beta1", "beta_1", "b1"),
    "rho": ("rho", "alpha", "decay", "decay_rate", "gamma", "beta", "beta2", "beta_2", "smoothing", "forget", "b"),
    "eps": ("eps", "epsilon", "delta", "e", "tiny", "adam_epsilon", "adam_eps"),
    "weight_decay": ("weight_decay", "wd", "weightdecay", "lmbda", "lambda_", "lam", "l2", "decay", "weight_decay_rate", "lmda", "lamb", "reg"),
    "v0": ("v0", "initial_accumulator_value", "initial_accumulator", "initial_scale"),
    "lr_decay": ("lr_decay", "learning_rate_decay"),
    "dampening": ("dampening", "damp"),
    "nesterov": ("nesterov",),
    "centered": ("centered",),
    "momentum_decay": ("momentum_decay", "psi"),
    "eta_minus": ("eta_minus", "etaminus", "minus"),
    "eta_plus": ("eta_plus", "etaplus", "plus"),
    "step_min": ("step_min", "min_step_size", "delta_min"),
    "step_max": ("step_max", "max_step_size", "delta_max"),
    "beta2_decay": ("beta2_decay", "beta_2_decay", "decay_rate", "decay", "gamma"),
    "eps1": ("eps1", "eps_1", "epsilon1", "epsilon_1"),
    "eps2": ("eps2", "eps_2", "epsilon2", "epsilon_2", "min_scale"),
    "d": ("d", "clip_threshold", "clipping_threshold"),
    "d0": ("d0", "estim_lr0"),
    "d_coef": ("d_coef", "estim_lr_coef", "growth"),
    "weight_lr_power": ("weight_lr_power",),
    "ns_steps": ("ns_steps", "steps", "newton_schulz_steps"),
    "bias_correction": ("bias_correction", "use_bias_correction"),
    "lambd": ("lambd",),
    "alpha": ("alpha",),
    "t0": ("t0",),
    "threshold": ("threshold",),
}  # fmt: skip

#: Tuples: the user's name -> ours, by how many there are.
TUPLES: dict[str, tuple[str, ...]] = {
    "betas": ("beta1", "beta2", "beta3"),
    "beta": ("beta1", "beta2", "beta3"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_min", "step_max"),
    "eps": ("eps1", "eps2"),
    "ns_coefficients": ("ns_a", "ns_b", "ns_c"),
    "ns_coeffs": ("ns_a", "ns_b", "ns_c"),
}
#: Every name that a hyperparameter is known by.
HYPER = frozenset(name for names in SYNONYMS.values() for name in names) | frozenset(TUPLES)

#: Switches of the user's class that make it the rule it is checked as.
SWITCHES: dict[str, dict[str, Any]] = {
    "nesterov": {"nesterov": True},
    "momentum": {"nesterov": False},
    "amsgrad": {"amsgrad": True},
    "adam": {"amsgrad": False},
    "adamw": {"amsgrad": False},
    "signsgd": {},
    "adafactor": {"relative_step": False, "scale_parameter": True, "beta1": None, "betas": (None, 0.999)},
    "lamb": {"rectify": False, "adam": False},
}

#: Words in the name of a class -> the rule, longest first.
_NAMES = {
    "schedulefreeadamw": "schedule_free_adamw",
    "adamwschedulefree": "schedule_free_adamw",
    "schedulefreesgd": "schedule_free_sgd",
    "sgdschedulefree": "schedule_free_sgd",
    "adafactor": "adafactor",
    "adadelta": "adadelta",
    "rmsprop": "rmsprop",
    "rms_prop": "rmsprop",
    "nesterov": "nesterov",
    "momentum": "momentum",
    "amsgrad": "amsgrad",
    "adagrad": "adagrad",
    "adamaxw": "adamax",
    "prodigy": "prodigy",
    "signsgd": "signsgd",
    "signum": "signsgd",
    "adamax": "adamax",
    "nadamw": "nadam",
    "nadam": "nadam",
    "radam": "radam",
    "rprop": "rprop",
    "adamw": "adamw",
    "adan": "adan",
    "adam": "adam",
    "lion": "lion",
    "lamb": "lamb",
    "muon": "muon",
    "asgd": "asgd",
    "sgd": "sgd",
}

#: Names that contain a rule's name and are other optimizers.
_OTHERS = frozenset(["accsgd", "adanorm", "adanip", "adabelief", "adafactorv", "adagc", "adahessian", "adamatan2", "adamc", "adamg", "adamini", "adammini", "adamod", "adamp", "adams", "adamuon", "adamwsn", "adapnm", "adashift", "bsam", "dadaptadagrad", "dadaptadam", "dadaptadamw", "dadaptadan", "dadaptlion", "dadaptsgd", "distributedmuon", "dualadam", "emolion", "emofact", "exadam", "fadam", "flashadamw", "grokfastadamw", "lsgd", "microadam", "muonclip", "noisysgd", "normuon", "optimisticadam", "optimisticadamv2", "padam", "polyaksgd", "qhadam", "qhadamw", "schedulefreeradam", "sgdp", "sgdsai", "simplifiedademamix", "sparseadam", "stableadam", "stableadamw", "stochasticadam", "vsgd", "zeroadam", "signmuon", "momoadam"])  # fmt: skip


def rule_named(name: str) -> str | None:
    """The rule that a class or function is probably meant to be, by its name."""
    low = name.lower().replace("_", "")
    if low in _OTHERS:
        return None
    for word, rule in _NAMES.items():
        if word.replace("_", "") in low:
            return rule
    return None


@dataclass
class Mapped:
    """Which of the user's arguments is which hyperparameter of ours."""

    #: The user's name -> ours, or several where it takes a tuple.
    names: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    #: The user's names that nothing is known about.
    unknown: list[str] = field(default_factory=list)
    #: The user's defaults of tuples, to fill in what a setting leaves open.
    tuples: dict[str, list[Any]] = field(default_factory=dict)
    #: The user's names of what is the negative of ours.
    negated: set[str] = field(default_factory=set)
    #: Arguments given a fixed value because they choose the rule.
    fixed: dict[str, Any] = field(default_factory=dict)

    @property
    def ours(self) -> set[str]:
        """Our hyperparameters that can be set."""
        return {n for names in self.names.values() for n in ((names,) if isinstance(names, str) else names)}

    def settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The user's arguments for values under our names; what is not in `values` is left at the user's default."""
        made: dict[str, Any] = dict(self.fixed)
        for theirs, ours in self.names.items():
            if isinstance(ours, str):
                if ours in values:
                    made[theirs] = -values[ours] if theirs in self.negated else values[ours]
            elif any(n in values for n in ours):
                made[theirs] = [values.get(n, d) for n, d in zip(ours, self.tuples.get(theirs, ours), strict=False)]
        return made

    @property
    def text(self) -> str:
        """The mapping in one line, names that are the same in both left out of the arrows."""
        parts = []
        for theirs, ours in self.names.items():
            right = ours if isinstance(ours, str) else f"({', '.join(ours)})"
            right = f"−{right}" if theirs in self.negated else right
            parts.append(theirs if theirs == right else f"{theirs} → {right}")
        parts += [f"{k} = {v}" for k, v in self.fixed.items()]
        return ", ".join(parts)


def map_names(rule: Rule | None, arguments: Sequence[Mapping[str, Any]], overrides: Mapping[str, str]) -> Mapped:
    """Map the user's arguments (`name`, `default`) to the hyperparameters of a rule; `overrides` are the user's own words."""
    known = set(rule.hyperparameters) | {"weight_decay"} if rule is not None else set(SYNONYMS)
    mapped, free = Mapped(), set(known)
    for theirs, ours in overrides.items():
        if not any(a["name"] == theirs for a in arguments):
            names = ", ".join(a["name"] for a in arguments) or "no arguments"
            raise DescendError(f"--map {theirs}={ours}: the optimizer has no argument {theirs!r}; it has {names}")
        parts = tuple(ours.split(","))
        for part in parts:
            if part not in known:
                raise DescendError(
                    f"--map {theirs}={ours}: {part!r} is no hyperparameter here; there are {', '.join(sorted(known))}"
                )
        mapped.names[theirs] = parts[0] if len(parts) == 1 else parts
        free -= set(parts)
    rest = [a for a in arguments if a["name"] not in mapped.names]
    for argument in rest:  # tuples first: they say most
        _map_tuple(argument, mapped, free)
    rest = [a for a in rest if a["name"] not in mapped.names]
    _map_numbers(rest, mapped, free, known)
    _fix_switches(rule, arguments, mapped)
    mapped.unknown = [
        a["name"] for a in rest if a["name"] not in mapped.names and a["name"] not in mapped.fixed and "default" not in a
    ]
    return mapped


def _map_tuple(argument: Mapping[str, Any], mapped: Mapped, free: set[str]) -> None:
    default = argument.get("default")
    if isinstance(default, list | tuple) and argument["name"].lower() in TUPLES:
        ours = TUPLES[argument["name"].lower()][: len(default)]
        if len(ours) == len(default) and all(n in free for n in ours):
            mapped.names[argument["name"]] = ours
            mapped.tuples[argument["name"]] = list(default)
            free.difference_update(ours)


def _map_numbers(rest: Sequence[Mapping[str, Any]], mapped: Mapped, free: set[str], known: set[str]) -> None:
    """Single arguments: for each rank of synonym in turn, so that a name goes to whom it fits best."""
    names = {a["name"].lower(): a for a in rest if not isinstance(a.get("default"), list | tuple | str | dict)}
    deepest = max(len(s) for s in SYNONYMS.values())
    for rank in range(deepest):
        for ours in [o for o in SYNONYMS if o in free]:
            if rank >= len(SYNONYMS[ours]):
                continue
            argument = names.get(SYNONYMS[ours][rank])
            if argument is None or argument["name"] in mapped.names:
                continue
            if isinstance(argument.get("default"), bool) and ours not in ("nesterov", "centered", "bias_correction"):
                continue
            default = argument.get("default")
            if ours == "beta2_decay" and isinstance(default, int | float):
                if not 0.3 <= abs(default) <= 1.0:
                    continue
                if default > 0:  # its exponent without the sign: another convention
                    mapped.negated.add(argument["name"])
            mapped.names[argument["name"]] = ours
            free.discard(ours)


def _fix_switches(rule: Rule | None, arguments: Sequence[Mapping[str, Any]], mapped: Mapped) -> None:
    if rule is None:
        return
    names = {a["name"] for a in arguments}
    torch = TORCH.get(rule.name)
    switches = dict(SWITCHES.get(rule.name, {})) | (
        {k: v for k, v in torch.fixed.items() if isinstance(v, bool)} if torch else {}
    )
    for name, value in ({"eps_root": 0.0} | switches).items():  # a second ε inside the root is set to nothing
        if name in names and name not in mapped.names:
            mapped.fixed[name] = value
