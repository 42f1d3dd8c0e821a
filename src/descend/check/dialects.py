"""Where libraries differ and none is wrong: the forms of each rule, with the sentence that names them."""

# ruff: noqa: E501  (a table: one form a line)
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from descend.check.variants import Candidate, Change, changed, with_decay
from descend.hyperparameters import COMMON
from descend.optimizers import adam_hat
from descend.rules import SQUARE, Rule

__all__ = ["DIALECTS", "HOMES", "Dialect", "references"]

#: Whose form our own equations are, in the words of a verdict.
HOMES: dict[str, str] = {
    "sgd": "PyTorch's SGD",
    "momentum": "PyTorch's SGD with momentum",
    "nesterov": "PyTorch's SGD with Nesterov momentum",
    "asgd": "PyTorch's ASGD",
    "rmsprop": "PyTorch's RMSprop",
    "adagrad": "PyTorch's Adagrad",
    "adadelta": "PyTorch's Adadelta",
    "rprop": "PyTorch's Rprop",
    "adafactor": "PyTorch's Adafactor",
    "adam": "PyTorch's Adam",
    "adam_hat": "Keras's Adam",
    "adamw": "PyTorch's AdamW",
    "amsgrad": "PyTorch's Adam with amsgrad",
    "adamax": "PyTorch's Adamax",
    "nadam": "PyTorch's NAdam",
    "radam": "PyTorch's RAdam",
    "muon": "Muon as its author and PyTorch write it",
    "lion": "the paper's and optax's Lion",
    "lamb": "the paper's and optax's LAMB",
    "adan": "the authors' Adan",
    "signsgd": "the paper's sign SGD",
    "schedule_free_sgd": "the authors' schedule-free SGD",
    "schedule_free_adamw": "the authors' schedule-free AdamW",
    "prodigy": "the authors' Prodigy",
}


@dataclass(frozen=True)
class Dialect:
    """One form of a rule: settings, or lines put otherwise, and how it is told."""

    #: Whose form: "Keras", "optax" …
    source: str
    #: "ε is added to the uncorrected root; equals PyTorch's with …": completes "right, in Keras's form: ".
    sentence: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    #: Another rule that is the same but for the form.
    rule: Rule | None = None
    slots: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    #: A form only where the user's optimizer has no such argument.
    without: str = ""
    #: A form only of objects driven so; elsewhere it is a mistake.
    only: tuple[str, ...] = ()
    #: A line of decay of its own, before the step; the form is one of optimizers with a weight decay only.
    decay: str = ""


def _put(target: str, source: str, occurrence: int = 0) -> Change:
    return Change(target, source, occurrence=occurrence)


_HAT = "ε is added to the uncorrected root; equals PyTorch's with ε/√(1 − β₂ᵗ) in the place of ε"
_INSIDE = "ε stands inside the root"
_HAT_STEP = "p - lr * sqrt(1 - s.k2) / (1 - s.k1) * s.m / (sqrt(s.v) + eps)"
_FIRST = "p - where(den > 0, rate * weight_decay, 0.0) * p"
_ADDED = (
    _put("p", "p - alpha * weight_decay * p"),
    _put("u", "g / sqrt(v_hat)"),
    _put("v_hat", "s.r * s.c / mean(s.r, -2) if p.ndim > 1 else s.v"),
    _put("v", "(1 - w) * s.v + w * (g**2 + eps1)"),
    _put("r", "(1 - w) * s.r + w * (mean(g**2 + eps1, -1) if p.ndim > 1 else 0.0)"),
    _put("c", "(1 - w) * s.c + w * (mean(g**2 + eps1, -2) if p.ndim > 1 else 0.0)"),
)
_UNFACTORED = {"v": SQUARE}

#: Where a weight has its inputs in rows.
TURNED = ("optax", "keras")

DIALECTS: dict[str, tuple[Dialect, ...]] = {
    "adam": (Dialect("Keras", _HAT, rule=adam_hat),),
    "adamw": (
        Dialect("Keras", _HAT, changes=(_put("p", _HAT_STEP, 1),)),
        Dialect(
            "Hugging Face", f"{_HAT}, and the decay comes after the step, of the weights just moved",
            changes=(_put("p", "p"), _put("p", f"({_HAT_STEP}) * (1 - lr * weight_decay)", 1)),
        ),
    ),
    "momentum": (
        Dialect("Keras", "the rate is kept inside the velocity; equals PyTorch's while the rate stays the same", {"lr_in_velocity": True}),
        Dialect(
            "a running mean's",
            "the velocity is a mean, v ← β·v + (1 − β)·g; equals PyTorch's with lr·(1 − β) in the place of lr",
            changes=(_put("b", "momentum * s.b + (1 - momentum) * g"),),
        ),
        Dialect(
            "a running mean's",
            "the velocity is a mean with the rate inside, v ← β·v + (1 − β)·lr·g",
            changes=(_put("b", "momentum * s.b + (1 - momentum) * lr * g"), _put("p", "p - s.b")),
        ),
    ),
    "nesterov": (
        Dialect("Keras", "the rate is kept inside the velocity; equals PyTorch's while the rate stays the same", {"lr_in_velocity": True}),
    ),
    "rmsprop": (
        Dialect("Keras's and optax", f"{_INSIDE}; with momentum, the rate is inside the velocity", {"eps_in_root": True, "lr_in_velocity": True}),
        Dialect("optax", _INSIDE, {"eps_in_root": True}),
        Dialect("Keras", "the rate is kept inside the velocity", {"lr_in_velocity": True}),
        Dialect("TensorFlow 1", f"the mean square starts at 1, and {_INSIDE}", {"v0": 1.0, "eps_in_root": True, "lr_in_velocity": True}),
        Dialect("TensorFlow 1", "the mean square starts at 1", {"v0": 1.0}),
        Dialect("Graves's", "it is always centered: the mean of the gradient is subtracted, as by PyTorch's with centered=True", {"centered": True}, without="centered"),
        Dialect("TensorFlow 1", f"the mean square starts at 1, and {_INSIDE}", {"v0": 1.0, "eps_in_root": True}),
    ),
    "adagrad": (
        Dialect("Keras's and optax", f"{_INSIDE} and the sum starts at 0.1", {"eps_in_root": True, "v0": 0.1}),
        Dialect("Keras's and optax", f"{_INSIDE}, and the sum starts where it is told to", {"eps_in_root": True}),
        Dialect("Keras's and optax", "the sum starts at 0.1", {"v0": 0.1}),
    ),
    "asgd": (
        Dialect(
            "Bottou", "the rate is made in the step that uses it, and so follows a change of lr one step earlier",
            changes=(Change("start", "s.eta = lr / (1 + lambd * lr * s.t) ** alpha", "before"), _put("eta", "s.eta")),
        ),
    ),
    "amsgrad": (
        Dialect("optax", "the maximum is taken of the corrected moments", {"max_of": "corrected"}),
        Dialect(
            "Keras", _HAT,
            changes=(_put("p", "p - lr * sqrt(1 - s.k2) / (1 - s.k1) * s.m / (sqrt(s.v_max) + eps)"),),
        ),
    ),
    "adamax": (
        Dialect(
            "Keras", "ε is added to the maximum and does not take part in it",
            changes=(_put("u", "maximum(beta2 * s.u, abs(g))"), _put("p", "p - lr * m_hat / (s.u + eps)")),
        ),
    ),
    "nadam": (
        Dialect("Keras", "the momentum warms up as 0.96ᵗ: PyTorch's with momentum_decay = 1", {"momentum_decay": 1.0}),
        Dialect("optax", "the momentum does not warm up: PyTorch's with momentum_decay = ∞", {"momentum_decay": float("inf")}),
        Dialect(
            "Ruder", "the momentum does not warm up, and the mean is corrected with β₁ᵗ and not β₁ᵗ⁺¹",
            {"momentum_decay": float("inf")}, changes=(_put("m_hat", "mu_next * s.m / (1 - s.mu_product)"),),
        ),
    ),
    "radam": (
        Dialect("optax", "ε is added to the corrected root", {"eps_after": True}),
        Dialect("the authors'", "no step is made before the variance is tractable", {"warm_up": "frozen"}),
        Dialect("the authors'", "no step is made before the variance is tractable, ε comes after the correction", {"warm_up": "frozen", "eps_after": True}),
        Dialect("the authors'", "no step is made and nothing decays before the variance is tractable; the decay is decoupled", {"warm_up": "frozen"}, decay="p = p - where(rho > threshold, lr * weight_decay, 0.0) * p"),
        Dialect("the paper's", "the variance counts as tractable from ρ > 4", {"threshold": 4.0}),
        Dialect("the paper's", "the variance counts as tractable from ρ > 4, ε comes after the correction", {"threshold": 4.0, "eps_after": True}),
        Dialect("the paper's", "the variance counts as tractable from ρ ≥ 5, ε comes after the correction", {"threshold": 4.999999, "eps_after": True}),
        Dialect("the paper's", "tractable from ρ > 4, and no step before that", {"threshold": 4.0, "warm_up": "frozen", "eps_after": True}),
    ),
    "lamb": (
        Dialect("Keras", "the decay stands outside the trust ratio", {"ratio": "no_decay"}),
        Dialect("timm", "the trust ratio is used only where there is decay", {"ratio": "only_with_decay"}),
    ),
    "adan": (Dialect("the authors' (no_prox)", "the decay multiplies by 1 − lr·wd before the step", {"prox": False}),),
    "muon": (
        Dialect("Moonshot", "steps are 0.2·√(largest side) longer", {"scale": "match_rms_adamw"}),
        Dialect("optax", "rows and columns are exchanged in the scale, as its weights lie the other way round", {"scale": "transposed"}, only=TURNED),
        Dialect("an unscaled", "steps are not scaled with the shape", {"scale": "none"}),
        Dialect(
            "optax", "the velocity is corrected for its zero start as Adam's is, and rows and columns are exchanged in the scale",
            {"scale": "transposed"},
            changes=(
                Change("start", "s.k = momentum * s.k", "before"),
                _put("d", "((1 - momentum) * g / (1 - s.k) + momentum * s.b / (1 - momentum * s.k)) if nesterov else s.b / (1 - s.k)"),
            ),
            slots={"k": SQUARE.__class__(1.0, "scalar")},
            only=TURNED,
        ),
    ),
    "schedule_free_sgd": (
        Dialect("the paper's", "all points weigh the same, c = 1/t; equals the authors' code while the rate stays the same", {"weight_lr_power": 0.0}, without="weight_lr_power"),
    ),
    "schedule_free_adamw": (
        Dialect("the paper's", "all points weigh the same, c = 1/t; equals the authors' code while the rate stays the same", {"weight_lr_power": 0.0}, without="weight_lr_power"),
    ),
    "prodigy": (
        Dialect("optax", "both moments are always corrected for their zero start", {"bias_correction": True}),
        Dialect("the authors'", "with the safeguard for a warm-up", {"safeguard_warmup": True}),
        Dialect("the authors'", "weights do not decay before the first gradient that is not zero", changes=(_put("p", _FIRST),)),
        Dialect("the authors'", "weights do not decay before the first gradient that is not zero, and with the safeguard for a warm-up", {"safeguard_warmup": True}, changes=(_put("p", _FIRST),)),
        Dialect("the authors'", "weights do not decay before the first gradient that is not zero, and both moments are corrected", {"bias_correction": True}, changes=(_put("p", _FIRST),)),
    ),
    "adafactor": (
        Dialect("the paper's", "ε₁ is added to g² and is no floor under the mean", changes=_ADDED[1:]),
        Dialect(
            "optax",
            "sides under 128 are not factored, the rate is not capped by 1/√t, and the decay is not multiplied by lr",
            changes=(
                _put("v_hat", "s.v"),
                _put("rho", "lr"),
                _put("p", "p"),
                _put("p", "p - alpha * u / maximum(1.0, rms(u) / d) - weight_decay * p", 1),
            ),
            slots=_UNFACTORED,
        ),
        Dialect(
            "Hugging Face",
            "ε₁ is added to g², the decay is multiplied by the whole step, and lr is the rate where no relative step is asked for",
            changes=(_put("rho", "lr"), *_ADDED),
        ),
        Dialect(
            "Hugging Face",
            "ε₁ is added to g² and is no floor under the mean, and the decay is multiplied by the whole step",
            changes=_ADDED,
        ),
        Dialect(
            "Keras",
            "ε₁ is added to g² and is no floor under the mean, and the decay comes before the size of p is measured",
            changes=(
                Change("start", "p = p - lr * weight_decay * p", "before"),
                _put("p", "p"),
                _put("u", "g / sqrt(v_hat)"),
                _put("v_hat", "s.r * s.c / mean(s.r, -2) if p.ndim > 1 else s.v"),
                _put("v", "(1 - w) * s.v + w * (g**2 + eps1)"),
                _put("r", "(1 - w) * s.r + w * (mean(g**2 + eps1, -1) if p.ndim > 1 else 0.0)"),
                _put("c", "(1 - w) * s.c + w * (mean(g**2 + eps1, -2) if p.ndim > 1 else 0.0)"),
            ),
        ),
    ),
}  # fmt: skip

DECOUPLED = "the decay is decoupled, p ← p·(1 − lr·wd), where PyTorch's is L2"


def _form(rule: Rule, dialect: Dialect | None) -> Rule:
    if dialect is None:
        return rule
    base = dialect.rule or rule
    return changed(base, dialect.changes, slots=dialect.slots) if dialect.changes or dialect.slots else base


_MADE: dict[Any, list[Candidate]] = {}


def references(rule: Rule, decays: bool) -> list[Candidate]:
    """The reference first, then its dialects; with weight decay where the user's optimizer has one and the rule has none."""
    key = (rule.name, decays)
    if key not in _MADE:
        _MADE[key] = _made(rule, decays and "weight_decay" not in rule.hyperparameters)
    return _MADE[key]


def _made(rule: Rule, decays: bool) -> list[Candidate]:
    found = []
    for dialect in (None, *DIALECTS.get(rule.name, ())):
        form, more = _form(rule, dialect), _about(dialect)
        label = dialect.sentence if dialect else HOMES.get(rule.name, rule.title)
        source = dialect.source if dialect else HOMES.get(rule.name, rule.title)
        kind = "dialect" if dialect else "reference"
        if dialect is not None and dialect.decay:
            if decays:
                own = changed(form, (Change("p", dialect.decay, "before"),), hyper=[COMMON["weight_decay"]])
                found.append(Candidate(own, kind, label, source=source, **more))
            continue
        found.append(Candidate(with_decay(form, False) if decays else form, kind, label, source=source, **more))
        if decays:
            joined = DECOUPLED if dialect is None else f"{label}; {DECOUPLED}"
            author = source if dialect else "AdamW"
            found.append(Candidate(with_decay(form, True), "dialect", joined, source=author, **more))
    return found


def _about(dialect: Dialect | None) -> dict[str, Any]:
    if dialect is None:
        return {}
    return {"fixed": dict(dialect.fixed), "whole": dialect.whole, "without": dialect.without, "only": dialect.only}
