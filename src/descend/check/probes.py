"""The probes: fixed gradients, several arrays, and settings in which every hyperparameter shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from descend.rules import Rule

__all__ = ["SETTINGS", "Probe", "probes_for", "short_probe"]

Arrays = list[np.ndarray]

#: Two settings in which no two hyperparameters are alike and eps is large enough to be seen, and one near the usual.
SETTINGS: tuple[dict[str, float], ...] = (
    {"lr": 0.1, "beta1": 0.8, "beta2": 0.97, "beta3": 0.9, "eps": 1e-2, "rho": 0.9, "momentum": 0.7, "weight_decay": 0.0}
    | {"momentum_decay": 0.3, "d0": 0.1, "eps1": 1e-3, "eps2": 0.5, "lambd": 0.2, "t0": 3.0, "v0": 0.0, "beta2_decay": -0.7},
    {"lr": 0.05, "beta1": 0.6, "beta2": 0.9, "beta3": 0.95, "eps": 3e-3, "rho": 0.8, "momentum": 0.5, "weight_decay": 0.3}
    | {"momentum_decay": 0.1, "d0": 0.05, "eps1": 1e-2, "eps2": 0.1, "lambd": 0.1, "t0": 2.0, "v0": 0.2, "beta2_decay": -0.5},
    {"lr": 0.02, "beta1": 0.9, "beta2": 0.95, "beta3": 0.98, "eps": 1e-3, "rho": 0.95, "momentum": 0.9, "weight_decay": 0.1}
    | {"momentum_decay": 0.01, "d0": 0.02, "eps1": 1e-2, "eps2": 0.2, "lambd": 0.05, "t0": 5.0, "v0": 0.1, "beta2_decay": -0.8},
)
#: Options that a second setting turns on; by rule, because the same word is another thing elsewhere.
OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "rmsprop": ({"momentum": 0.0}, {"momentum": 0.6, "centered": True}, {"momentum": 0.8}),
    "momentum": ({"dampening": 0.0}, {"dampening": 0.4}, {"dampening": 0.2}),
    "signsgd": ({"momentum": 0.0}, {"momentum": 0.6}, {"momentum": 0.8}),
    "adagrad": ({"lr_decay": 0.0}, {"lr_decay": 0.2}, {"lr_decay": 0.05}),
    "muon": ({"eps": 1e-7}, {"eps": 1e-7}, {"eps": 1e-7}),
    "lion": ({"lr": 0.03}, {"lr": 0.02}, {"lr": 0.01}),
    "prodigy": ({"lr": 1.0, "d_coef": 30.0}, {"lr": 0.5, "d_coef": 8.0}, {"lr": 0.8}),
    "adafactor": ({"lr": 0.9}, {"lr": 0.3}, {"lr": 0.5, "d": 1.5}),
    "rprop": (
        {"eta_minus": 0.5, "eta_plus": 1.3, "step_min": 1e-3, "step_max": 0.3},
        {"eta_minus": 0.4, "eta_plus": 1.2, "step_min": 0.03, "step_max": 1.0},
        {"eta_minus": 0.6, "eta_plus": 1.1, "step_min": 1e-6, "step_max": 50.0},
    ),
    "schedule_free_sgd": ({"weight_lr_power": 1.0}, {"weight_lr_power": 2.0}, {}),
    "schedule_free_adamw": ({"weight_lr_power": 1.0}, {"weight_lr_power": 2.0}, {}),
}


@dataclass(frozen=True, eq=False)
class Probe:
    """Starting arrays, the gradients of each step, and the hyperparameters, some of which may change in mid-run."""

    name: str
    start: Arrays
    gradients: list[Arrays]
    values: Mapping[str, Any]
    #: Step (from 0) before which hyperparameters change.
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What decides the points visited, to look them up by."""
        changes = tuple((t, tuple(sorted(c.items()))) for t, c in sorted(self.changes.items()))
        return (self.name, len(self.gradients), tuple(p.shape for p in self.start), tuple(sorted(self.values.items())), changes)

    def at(self, step: int) -> dict[str, Any]:
        """The hyperparameters of a step."""
        values = dict(self.values)
        for when, change in sorted(self.changes.items()):
            if when <= step:
                values |= change
        return values

    @staticmethod
    def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
        """All entries of all arrays in one row."""
        return np.concatenate([np.asarray(a, dtype=np.float64).ravel() for a in arrays])


def _shapes(rule: Rule | None) -> list[tuple[int, ...]]:
    return [(4, 2), (2, 3)] if rule is not None and rule.ndim else [(3,), (2, 4)]


def _values(rule: Rule | None, setting: int, allowed: set[str] | None) -> dict[str, Any]:
    """The values of one setting: what the rule has and the user's optimizer lets us set."""
    values: dict[str, Any] = dict(SETTINGS[setting])
    if rule is not None:
        values |= OPTIONS.get(rule.name, ({}, {}, {}))[setting]
        known = set(rule.hyperparameters) | {"weight_decay"}
        values = {k: v for k, v in values.items() if k in known}
        for name, h in rule.hyperparameters.items():
            if not h.structural and name in values and h.bounds is not None and not h.bounds[0] <= values[name] <= h.bounds[1]:
                values.pop(name)
    return {k: v for k, v in values.items() if allowed is None or k in allowed}


def _draw(seed: int, steps: int, shapes: list[tuple[int, ...]]) -> tuple[Arrays, list[Arrays]]:
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=s) + 0.3 for s in shapes]
    size = [rng.lognormal(0.0, 0.7, size=s) for s in shapes]
    return start, [[rng.normal(size=s) * k for s, k in zip(shapes, size, strict=True)] for _ in range(steps)]


def short_probe(rule: Rule | None, allowed: set[str] | None = None) -> Probe:
    """Six steps of changing gradients: whatever differs here need not be run on the others."""
    start, gs = _draw(1, 6, _shapes(rule))
    return Probe("changing gradients", start, gs, _values(rule, 0, allowed))


def probes_for(rule: Rule | None, allowed: set[str] | None = None) -> list[Probe]:
    """All probes for a rule, the short one first. `allowed` are the hyperparameters that can be set."""
    shapes = _shapes(rule)
    first, second, third = (_values(rule, i, allowed) for i in range(3))
    short = short_probe(rule, allowed)
    start, gs = _draw(2, 8, shapes)
    probes = [short, Probe("a constant gradient", start, [gs[0]] * 7, first)]
    start, gs = _draw(3, 8, shapes)
    size = {1: 1.0, 2: 1.0, 6: 3.0}
    gs = [[size.get(t, 0.0) * x for x in g] for t, g in enumerate(gs)]
    own = rule is None or "weight_decay" in rule.hyperparameters
    still = second if own or "weight_decay" not in second else second | {"weight_decay": 0.0}  # L2 would hide the zeros
    probes.append(Probe("zero gradients", start, gs, still, _rates(still, {5: 2.0})))
    probes.append(
        _scales(
            shapes, second | {k: v for k, v in {"eps": 1e-3, "v0": 0.0}.items() if k in second and not (rule and rule.ndim)}
        )
    )
    start, gs = _draw(5, 12, shapes)
    gs = [[np.abs(x) * (-1) ** t for x in g] for t, g in enumerate(gs)]
    probes.append(Probe("alternating gradients, the rate changed twice", start, gs, second, _rates(second, {4: 0.4, 8: 1.7})))
    start, gs = _draw(6, 40, shapes)
    probes.append(Probe("forty steps", start, gs, third))
    return probes


def _rates(values: Mapping[str, Any], factors: Mapping[int, float]) -> dict[int, dict[str, Any]]:
    return {t: {"lr": values["lr"] * f} for t, f in factors.items()} if "lr" in values else {}


def _scales(shapes: list[tuple[int, ...]], values: dict[str, Any]) -> Probe:
    """Tiny, usual, huge and spiking entries; the last array starts at zero."""
    start, gs = _draw(4, 10, shapes)
    for g in gs:
        for x in g:
            flat = x.reshape(-1)
            flat[0] *= 1e-4
            flat[1] *= 1e-2
            flat[-1] *= 30.0
    for t, g in enumerate(gs):  # one that grows threefold each step: the only way an Adam step is longer than lr
        g[-1].reshape(-1)[2] = 3.0 ** (t - 6)
    gs[2][0].reshape(-1)[1] = 0.0
    for x in gs[4]:
        x *= 50.0
    start[-1] = np.zeros_like(start[-1])
    return Probe("tiny, huge and spiking gradients", start, gs, values)
