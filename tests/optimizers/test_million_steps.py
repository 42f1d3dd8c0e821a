"""A million real steps of one number, against the same sums made another way: linear filters, cumulative products, powers.

The gradients do not depend on the point, so that running means of all steps are one call of `scipy.signal.lfilter`, β^t a power
and the path a sum. Adadelta and Adafactor, whose step depends on the last one, are plain loops. Without such a reference here:
rprop, lars, muon and prodigy; `test_every_rule.py` takes them to t = 10⁶ by a rebuilt state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

import descend.optimizers  # noqa: F401  (fills the registry)
from descend.rules import OPTIMIZERS

Array = NDArray[np.float64]
STEPS = 10**6
#: Exact in float32 too; with a drift, so that the path is long. The last one is for a step from 0 after all the others.
G: Array = np.round((np.random.default_rng(0).normal(size=STEPS + 1) + 0.5) * 1024) / 1024
T = np.arange(1, STEPS + 2)
P0, LR, B1, B2, EPS = 0.5, 0.01, 0.9, 0.999, 1e-8

#: Where the point is after the million, and how far the step after them goes from 0.
Reference = Callable[[], tuple[float, float]]


def mean(x: Array, beta: float) -> Array:
    """The running mean after each step."""
    return np.asarray(lfilter([1 - beta], [1, -beta], x))


def root(beta: float = B2) -> Array:
    return np.sqrt(mean(G**2, beta) / (1 - beta**T)) + EPS


def m_hat(beta: float = B1) -> Array:
    return mean(G, beta) / (1 - beta**T)


def summed(steps: Array) -> tuple[float, float]:
    return P0 - math.fsum(steps[:-1]), float(steps[-1])


def adam() -> tuple[float, float]:
    return summed(LR * m_hat() / root())


def adamw() -> tuple[float, float]:
    steps, shrink = LR * m_hat() / root(), 1 - LR * 1e-4
    path, _ = lfilter([-1], [1, -shrink], steps, zi=[shrink * P0])
    return float(path[-2]), float(steps[-1])


def adam_hat() -> tuple[float, float]:
    rate = LR * np.sqrt(1 - B2**T) / (1 - B1**T)
    return summed(rate * mean(G, B1) / (np.sqrt(mean(G**2, B2)) + EPS))


def amsgrad() -> tuple[float, float]:
    return summed(LR * m_hat() / (np.sqrt(np.maximum.accumulate(mean(G**2, B2)) / (1 - B2**T)) + EPS))


def adamax() -> tuple[float, float]:
    u = np.exp(np.maximum.accumulate(np.log(np.abs(G) + EPS) - T * np.log(B2)) + T * np.log(B2))
    return summed(LR * m_hat() / u)


def nadam() -> tuple[float, float]:
    mu = B1 * (1 - 0.5 * 0.96 ** (0.004 * np.arange(1, STEPS + 3)))
    product = np.cumprod(mu)
    ahead = mu[1:] * mean(G, B1) / (1 - product[1:]) + (1 - mu[:-1]) * G / (1 - product[:-1])
    return summed(LR * ahead / root())


def radam() -> tuple[float, float]:
    most = 2 / (1 - B2) - 1
    rho = most - 2 * T * B2**T / (1 - B2**T)
    trusted = np.maximum(rho, 5.0)
    r = np.sqrt((trusted - 4) * (trusted - 2) * most / ((most - 4) * (most - 2) * trusted))
    late = r * m_hat() * np.sqrt(1 - B2**T) / (np.sqrt(mean(G**2, B2)) + EPS)
    return summed(LR * np.where(rho > 5, late, m_hat()))


def adan() -> tuple[float, float]:
    change = np.diff(G, prepend=G[0])
    n_hat = mean((G + 0.92 * change) ** 2, 0.99) / (1 - 0.99**T)
    u = m_hat(0.98) + 0.92 * mean(change, 0.92) / (1 - 0.92**T)
    return summed(LR * u / (np.sqrt(n_hat) + EPS))


def ademamix() -> tuple[float, float]:
    return summed(LR * (m_hat() + 5 * mean(G, 0.999)) / root())


def lamb() -> tuple[float, float]:
    """Of one positive number: each step takes the share lr of it, up or down."""
    up = m_hat() / (np.sqrt(mean(G**2, B2) / (1 - B2**T)) + 1e-6)
    return P0 * math.exp(math.fsum(np.log1p(-1e-6 * np.sign(up[:-1])))), float(1e-6 * up[-1])


def schedule_free_adamw() -> tuple[float, float]:
    """The point reported is the mean of where the fast point has been."""
    steps = LR * G / root()
    return float(np.mean(P0 - np.cumsum(steps[:-1]))), float(steps[-1] * (1 - B1 * (1 - 1 / T[-1])))


def schedule_free_sgd() -> tuple[float, float]:
    return float(np.mean(P0 - np.cumsum(LR * G[:-1]))), float(LR * G[-1] * (1 - B1 * (1 - 1 / T[-1])))


def sgd() -> tuple[float, float]:
    return summed(LR * G)


def momentum() -> tuple[float, float]:
    return summed(LR * lfilter([1], [1, -B1], G))


def nesterov() -> tuple[float, float]:
    return summed(LR * (G + B1 * lfilter([1], [1, -B1], G)))


def asgd() -> tuple[float, float]:
    """Its mean from the half million on: the weight 1/(t − t0) that a step finds is that of the step before."""
    eta = LR / (1 + 1e-4 * LR * np.arange(STEPS + 1)) ** 0.75
    kept = np.cumprod(1 - 1e-4 * eta)
    path = kept * (P0 - np.cumsum(eta * G / kept))
    return float(np.mean(path[STEPS // 2 + 1 : -1])), float(eta[-1] * G[-1])


def rmsprop() -> tuple[float, float]:
    return summed(LR * G / (np.sqrt(mean(G**2, 0.99)) + EPS))


def adagrad() -> tuple[float, float]:
    rate = LR / (1 + 1e-5 * np.arange(STEPS + 1))
    return summed(rate * G / (np.sqrt(np.cumsum(G**2)) + 1e-10))


def lion() -> tuple[float, float]:
    memory = np.concatenate([[0.0], mean(G, 0.99)[:-1]])
    return summed(LR * np.sign(0.9 * memory + (1 - 0.9) * G))


def signsgd() -> tuple[float, float]:
    return summed(LR * np.sign(mean(G, B1)))


def adadelta() -> tuple[float, float]:
    v = u = step = 0.0
    p = P0
    for g in G.tolist():
        p -= step
        v = 0.9 * v + (1 - 0.9) * g * g
        step = math.sqrt((u + 1e-6) / (v + 1e-6)) * g
        u = 0.9 * u + (1 - 0.9) * step * step
    return p, step


def adafactor() -> tuple[float, float]:
    """Of a vector of one number: its size is the number itself. Without drift, which would take it beyond all bounds."""
    v, p = 0.0, P0
    for t, g in enumerate((G - 0.5).tolist(), 1):
        w = t**-0.8
        v = (1 - w) * v + w * g * g
        u = g / math.sqrt(v)
        if t > STEPS:
            break
        p -= max(1e-3, abs(p)) * min(2e-3, 1 / math.sqrt(t)) * u / max(1.0, abs(u))
    return p, 1e-3 * min(2e-3, 1 / math.sqrt(STEPS + 1)) * u / max(1.0, abs(u))


CASES: dict[str, tuple[Reference, dict[str, Any]]] = {
    "adam": (adam, {}),
    "adamw": (adamw, {"weight_decay": 1e-4}),
    "adam_hat": (adam_hat, {"eps": EPS}),
    "amsgrad": (amsgrad, {}),
    "adamax": (adamax, {}),
    "nadam": (nadam, {}),
    "radam": (radam, {}),
    "adan": (adan, {}),
    "ademamix": (ademamix, {"beta3": 0.999}),
    "lamb": (lamb, {"lr": 1e-6}),
    "schedule_free_adamw": (schedule_free_adamw, {}),
    "schedule_free_sgd": (schedule_free_sgd, {}),
    "sgd": (sgd, {}),
    "momentum": (momentum, {}),
    "nesterov": (nesterov, {}),
    "asgd": (asgd, {"t0": STEPS / 2}),
    "rmsprop": (rmsprop, {}),
    "adagrad": (adagrad, {"lr_decay": 1e-5}),
    "lion": (lion, {}),
    "signsgd": (signsgd, {"momentum": B1}),
    "adadelta": (adadelta, {"lr": 1.0}),
    "adafactor": (adafactor, {"lr": 2e-3}),
}


def a_million(name: str, kind: str) -> tuple[float, float]:
    """The point reported after a million compiled steps, and the length of one more from 0 with the state they left."""
    optimizer = OPTIMIZERS[name](**({"lr": LR} | CASES[name][1]))

    def step(p: Any, slots: Any, g: Any) -> Any:
        (new,), after = optimizer.step_leaves([p], [g[None]], {"t": 0, "slots": [slots]}, optimizer.values)
        return new, {k: jnp.asarray(v, kind) for k, v in after["slots"][0].items()}

    def all_steps(p: Any, slots: Any, gs: Any) -> Any:
        (p, slots), _ = jax.lax.scan(lambda carry, g: (step(*carry, g), None), (p, slots), gs[:-1])
        zeroed = {k: 0 * v if optimizer.rule.slots[k].fill == "p" else v for k, v in slots.items()}
        return optimizer.report([p], {"slots": [slots]})[0], step(0 * p, zeroed, gs[-1])[0]

    with jax.enable_x64(True):
        p = jnp.full(1, P0, kind)
        slots = {k: jnp.asarray(v, kind) for k, v in optimizer.init_leaves([p])["slots"][0].items()}
        point, last = jax.jit(all_steps)(p, slots, jnp.asarray(G - 0.5 * (name == "adafactor"), kind))
        return float(point[0]), -float(last[0])


@pytest.mark.parametrize("name", CASES)
def test_a_million_steps_in_float64(name: str) -> None:
    """Half a spacing is lost at each step at most: 1.1e-16 of the path's length, a million times."""
    point, last = CASES[name][0]()
    ours, after = a_million(name, "float64")
    assert abs(ours - point) <= STEPS * 2.0**-53 * abs(point - P0)
    assert abs(after - last) <= 1e-11 * abs(last)


@pytest.mark.parametrize("name", CASES)
def test_the_state_a_million_steps_leave_in_float32(name: str) -> None:
    """The point itself cannot add up a million small steps in float32; the state can, to the rounding its memory holds.

    A running mean with β = 0.999 holds the roundings of 1/(1 − β) = 1,000 steps: 1,000 · 2⁻²⁴ = 6e-5. Adagrad's sum holds those
    of all steps, 6e-2 at worst; it is 2.6e-4 off.
    """
    _, last = CASES[name][0]()
    _, after = a_million(name, "float32")
    assert abs(after - last) <= (1e-3 if name == "adagrad" else 6e-5) * abs(last)
