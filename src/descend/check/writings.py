"""The same rules in the other words people write them in: equal to the last step, with lines of their own to go wrong in.

A mistake is made in a line as somebody wrote it. Each function here is equal to the rule of its name, which a test holds it to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import descend.optimizers  # noqa: F401  (fills the registry)
from descend.arrays import maximum, orthogonalize, sign, sqrt, where
from descend.check.dialects import DECOUPLED, HOMES
from descend.check.variants import Candidate, with_decay
from descend.hyperparameters import COMMON
from descend.optimizers.spectral import Scale, spectral_scale
from descend.rules import COUNT, ZERO, Rule

__all__ = ["WRITINGS", "writings"]

Array = Any


def sgd_shrunk(g: Array, p: Array, s: Any, *, lr: float = 1e-2, weight_decay: float = 0.0) -> Any:
    """The L2 term as a factor on the parameter."""
    p = p * (1 - lr * weight_decay)
    p = p - lr * g
    return p, s


def momentum_velocity(g: Array, p: Array, s: Any, *, lr: float = 1e-2, momentum: float = 0.9, dampening: float = 0.0) -> Any:
    """The velocity points the way of the step."""
    s.b = momentum * s.b - s.w * g
    s.w = 1 - dampening
    p = p + lr * s.b
    return p, s


def nesterov_bengio(g: Array, p: Array, s: Any, *, lr: float = 1e-2, momentum: float = 0.9) -> Any:
    """With the velocity of the step before, as Bengio et al. write it."""
    d = momentum**2 * s.b + (1 + momentum) * g
    s.b = momentum * s.b + g
    p = p - lr * d
    return p, s


def nesterov_corrected(g: Array, p: Array, s: Any, *, lr: float = 1e-2, momentum: float = 0.9) -> Any:
    """Back by the old velocity and forward by the new one, as courses write it."""
    old = s.b
    s.b = momentum * s.b + g
    d = (1 + momentum) * s.b - momentum * old
    p = p - lr * d
    return p, s


def momentum_kept_rate(g: Array, p: Array, s: Any, *, lr: float = 1e-2, momentum: float = 0.9, dampening: float = 0.0) -> Any:
    """The velocity holds the rate and points the way of the step."""
    s.b = momentum * s.b - lr * s.w * g
    s.w = 1 - dampening
    p = p + s.b
    return p, s


def nesterov_bengio_kept_rate(g: Array, p: Array, s: Any, *, lr: float = 1e-2, momentum: float = 0.9) -> Any:
    """With the velocity of the step before, which holds the rate."""
    d = momentum**2 * s.b + (1 + momentum) * lr * g
    s.b = momentum * s.b + lr * g
    p = p - d
    return p, s


def nesterov_corrected_kept_rate(g: Array, p: Array, s: Any, *, lr: float = 1e-2, momentum: float = 0.9) -> Any:
    """Back by the old velocity and forward by the new one; both hold the rate."""
    old = s.b
    s.b = momentum * s.b + lr * g
    d = (1 + momentum) * s.b - momentum * old
    p = p - d
    return p, s


def adam_lerp(
    g: Array, p: Array, s: Any, *, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
) -> Any:
    """Means moved towards what is new, and the corrections in the step."""
    s.m = s.m + (1 - beta1) * (g - s.m)
    s.v = s.v + (1 - beta2) * (g**2 - s.v)
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    rate = lr / (1 - s.k1)
    root = sqrt(s.v) / sqrt(1 - s.k2) + eps
    p = p - rate * s.m / root
    return p, s


def adam_rate(
    g: Array, p: Array, s: Any, *, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
) -> Any:
    """Both corrections in the rate, with ε scaled to match."""
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    rate = lr * sqrt(1 - s.k2) / (1 - s.k1)
    p = p - rate * s.m / (sqrt(s.v) + eps * sqrt(1 - s.k2))
    return p, s


def adamw_together(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> Any:
    """Step and decay in one bracket, the corrections in the step."""
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    rate = lr / (1 - s.k1)
    root = sqrt(s.v) / sqrt(1 - s.k2) + eps
    u = rate * s.m / root
    p = p - (u + lr * weight_decay * p)
    return p, s


def adamw_shrunk(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> Any:
    """The decay as a factor, and the bracket of step and decay apart."""
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    m_hat = s.m / (1 - s.k1)
    v_hat = s.v / (1 - s.k2)
    p = p * (1 - lr * weight_decay)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, s


def adagrad_guarded(
    g: Array, p: Array, s: Any, *, lr: float = 1e-2, lr_decay: float = 0.0, eps: float = 1e-10, v0: float = 0.0
) -> Any:
    """The reciprocal of the root, 0 while there has been no gradient, as optax writes it."""
    rate = lr / (1 + lr_decay * s.t)
    s.t = s.t + 1
    s.v = s.v + g**2
    c = where(s.v > 0, 1 / sqrt(maximum(s.v, 1e-300) + eps), 0.0)
    p = p - rate * c * g
    return p, s


def amsgrad_torch(
    g: Array, p: Array, s: Any, *, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
) -> Any:
    """The corrections in the step, as PyTorch writes it."""
    s.m = s.m + (1 - beta1) * (g - s.m)
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    s.v_max = maximum(s.v_max, s.v)
    root = sqrt(s.v_max) / sqrt(1 - s.k2) + eps
    p = p - lr / (1 - s.k1) * s.m / root
    return p, s


def nadam_optax(
    g: Array, p: Array, s: Any, *, lr: float = 2e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
) -> Any:
    """Without a schedule of the momentum, the look-ahead in one line, as optax writes it."""
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.mu_product = beta1 * s.mu_product
    s.k2 = beta2 * s.k2
    m_hat = beta1 * s.m / (1 - beta1 * s.mu_product) + (1 - beta1) * g / (1 - s.mu_product)
    v_hat = s.v / (1 - s.k2)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, s


def nadam_scheduled(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 2e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    momentum_decay: float = 4e-3,
) -> Any:
    """The schedule of the momentum by the number of the step."""
    s.t = s.t + 1
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k2 = beta2 * s.k2
    mu = beta1 * (1 - 0.5 * 0.96 ** (s.t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((s.t + 1) * momentum_decay))
    s.mu_product = mu * s.mu_product
    m_hat = mu_next * s.m / (1 - mu_next * s.mu_product)
    g_hat = (1 - mu) * g / (1 - s.mu_product)
    v_hat = s.v / (1 - s.k2)
    p = p - lr * (m_hat + g_hat) / (sqrt(v_hat) + eps)
    return p, s


def lion_shrunk(
    g: Array, p: Array, s: Any, *, lr: float = 1e-4, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.0
) -> Any:
    """The decay as a factor before the step."""
    p = p * (1 - lr * weight_decay)
    c = beta1 * s.m + (1 - beta1) * g
    p = p - lr * sign(c)
    s.m = s.m + (1 - beta2) * (g - s.m)
    return p, s


def muon_summed(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    momentum: float = 0.95,
    nesterov: bool = True,
    weight_decay: float = 0.1,
    scale: Scale = "original",
    ns_steps: int = 5,
    ns_a: float = 3.4445,
    ns_b: float = -4.775,
    ns_c: float = 2.0315,
    eps: float = 1e-7,
) -> Any:
    """The velocity is a sum and no mean: its length is lost anyway."""
    s.b = momentum * s.b + g
    d = g + momentum * s.b if nesterov else s.b
    o = orthogonalize(d, ns_steps, ns_a, ns_b, ns_c, eps)
    p = p - lr * weight_decay * p
    p = p - lr * spectral_scale(p.shape, scale) * o
    return p, s


def schedule_free_sgd_points(
    g: Array, p: Array, s: Any, *, lr: float = 1.0, beta1: float = 0.9, weight_lr_power: float = 2.0
) -> Any:
    """With all three points: z steps, x is the mean of z, gradients are taken between them."""
    s.lr_max = maximum(s.lr_max, lr)
    w = s.lr_max**weight_lr_power
    s.weights = s.weights + w
    c = w / maximum(s.weights, 1e-30)
    s.z = s.z - lr * g
    s.x = (1 - c) * s.x + c * s.z
    p = (1 - beta1) * s.z + beta1 * s.x
    return p, s


def schedule_free_adamw_points(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 2.5e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    weight_lr_power: float = 2.0,
) -> Any:
    """With all three points: z steps, x is the mean of z, gradients are taken between them."""
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k2 = beta2 * s.k2
    v_hat = s.v / (1 - s.k2)
    u = g / (sqrt(v_hat) + eps) + weight_decay * p
    s.lr_max = maximum(s.lr_max, lr)
    w = s.lr_max**weight_lr_power
    s.weights = s.weights + w
    c = w / maximum(s.weights, 1e-30)
    s.z = s.z - lr * u
    s.x = (1 - c) * s.x + c * s.z
    p = (1 - beta1) * s.z + beta1 * s.x
    return p, s


#: Rule -> its other writings.
WRITINGS: dict[str, tuple[Callable[..., Any], ...]] = {
    "sgd": (sgd_shrunk,),
    "momentum": (momentum_velocity, momentum_kept_rate),
    "nesterov": (nesterov_bengio, nesterov_corrected, nesterov_bengio_kept_rate, nesterov_corrected_kept_rate),
    "adam": (adam_lerp, adam_rate),
    "adamw": (adamw_together, adamw_shrunk),
    "amsgrad": (amsgrad_torch,),
    "adagrad": (adagrad_guarded,),
    "nadam": (nadam_scheduled, nadam_optax),
    "lion": (lion_shrunk,),
    "muon": (muon_summed,),
    "schedule_free_sgd": (schedule_free_sgd_points,),
    "schedule_free_adamw": (schedule_free_adamw_points,),
}
KEPT = "the rate is kept inside the velocity; equals PyTorch's while the rate stays the same"
_X = {"x": replace(ZERO, fill="p")}

_MADE: dict[tuple[str, bool], list[Candidate]] = {}


def written_as(rule: Rule, function: Callable[..., Any]) -> Rule:
    """The rule with another writing in its place."""
    known = dict(rule.hyperparameters) | {"weight_decay": COMMON["weight_decay"]}
    known = {name: known[name] for name in function.__kwdefaults__ or {}}
    slots = dict(rule.slots) | (_X if function.__name__.endswith("_points") else {})
    slots |= {"t": COUNT} if function is nadam_scheduled else {}
    return replace(rule, function=function, slots=slots, hyperparameters=known)


def writings(rule: Rule, decays: bool) -> list[Candidate]:
    """The reference in other words; with weight decay where the user's optimizer has one and the rule has none."""
    key = (rule.name, decays)
    if key not in _MADE:
        made = []
        for function in WRITINGS.get(rule.name, ()):
            form = written_as(rule, function)
            own = "weight_decay" in form.hyperparameters
            if rule.name == "sgd" and not decays:
                continue
            if function is nadam_optax:
                home = "the momentum does not warm up: PyTorch's with momentum_decay = ∞"
                made.append(Candidate(with_decay(form, False) if decays else form, "dialect", home, source="optax"))
                continue
            guarded = function.__name__.endswith("_guarded")
            kept = function.__name__.endswith("_kept_rate")
            if guarded:
                home, kind = "ε stands inside the root", "dialect"
                made.append(Candidate(with_decay(form, False) if decays else form, kind, home, source="Keras's and optax"))
                continue
            home, kind = (KEPT, "dialect") if kept else (HOMES.get(rule.name, rule.title), "reference")
            source = "Keras" if kept else home
            made.append(Candidate(with_decay(form, False) if decays and not own else form, kind, home, source=source))
            if decays and not own and not function.__name__.endswith("_points"):
                made.append(Candidate(with_decay(form, True), "dialect", DECOUPLED, source="AdamW"))
        _MADE[key] = made
    return _MADE[key]
