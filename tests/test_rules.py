"""The six first rules against torch.optim and optax, over the loop and step by step; the same numbers on three backends.

Differences are relative to the largest displacement of the reference, in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

import descend as ds
from descend.equations import swap

STEPS = 60
START = np.array([-1.2, 1.0])

#: Ours, torch's class and arguments, optax's transformation: the same rule three times.
PAIRS: dict[str, tuple[Any, Any, dict[str, Any], Callable[[], Any]]] = {
    "sgd": (ds.sgd(lr=1e-3), torch.optim.SGD, {"lr": 1e-3}, lambda: optax.sgd(1e-3)),
    "momentum": (
        ds.momentum(lr=3e-4, momentum=0.8),
        torch.optim.SGD,
        {"lr": 3e-4, "momentum": 0.8},
        lambda: optax.sgd(3e-4, momentum=0.8),
    ),
    "nesterov": (
        ds.nesterov(lr=3e-4, momentum=0.8),
        torch.optim.SGD,
        {"lr": 3e-4, "momentum": 0.8, "nesterov": True},
        lambda: optax.sgd(3e-4, momentum=0.8, nesterov=True),
    ),
    "rmsprop": (
        ds.rmsprop(lr=0.01, rho=0.95, eps=1e-3),
        torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.95, "eps": 1e-3},
        lambda: optax.rmsprop(0.01, decay=0.95, eps=1e-3, eps_in_sqrt=False),
    ),
    "adam": (
        ds.adam(lr=0.05, beta1=0.8, beta2=0.97, eps=1e-3),
        torch.optim.Adam,
        {"lr": 0.05, "betas": (0.8, 0.97), "eps": 1e-3},
        lambda: optax.adam(0.05, b1=0.8, b2=0.97, eps=1e-3),
    ),
    "adamw": (
        ds.adamw(lr=0.05, beta1=0.8, beta2=0.97, eps=1e-3, weight_decay=0.1),
        torch.optim.AdamW,
        {"lr": 0.05, "betas": (0.8, 0.97), "eps": 1e-3, "weight_decay": 0.1},
        lambda: optax.adamw(0.05, b1=0.8, b2=0.97, eps=1e-3, weight_decay=0.1),
    ),
}

rules = pytest.mark.parametrize("name", PAIRS)


def banana(p: Any) -> Any:
    """Rosenbrock's function, by hand: works on NumPy, JAX and torch."""
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def slope(p: Any) -> Any:
    """Its gradient by hand, stacked in the library of the point."""
    parts = (-2 * (1 - p[0]) - 400 * p[0] * (p[1] - p[0] ** 2), 200 * (p[1] - p[0] ** 2))
    return {np.ndarray: np.stack, torch.Tensor: torch.stack}.get(type(p), jnp.stack)(parts)


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    moved = np.abs(theirs - theirs[0]).max()
    assert moved > 0.01, "the reference did not move: the comparison says nothing"
    return float(np.abs(ours - theirs).max() / moved)


def torch_path(kind: Any, options: dict[str, Any]) -> np.ndarray:
    p = torch.tensor(START, requires_grad=True)
    optimizer = kind([p], **options)
    path = [p.detach().numpy().copy()]
    for _ in range(STEPS):
        optimizer.zero_grad()
        banana(p).backward()
        optimizer.step()
        path.append(p.detach().numpy().copy())
    return np.array(path)


def optax_path(make: Callable[[], Any]) -> np.ndarray:
    with jax.enable_x64(True):
        p, chain = jnp.asarray(START), make()
        state, path = chain.init(p), [np.asarray(p)]
        for _ in range(STEPS):
            updates, state = chain.update(slope(p), state, p)
            p = optax.apply_updates(p, updates)
            path.append(np.asarray(p))
    return np.array(path)


@rules
def test_over_the_loop_as_torch(name: str) -> None:
    ours, kind, options, _ = PAIRS[name]
    trace = ds.descend(banana, START, ours, steps=STEPS)
    assert apart(trace.points, torch_path(kind, options)) <= 1e-12


@rules
def test_over_the_loop_as_optax(name: str) -> None:
    ours, _, _, make = PAIRS[name]
    trace = ds.descend(banana, START, ours, steps=STEPS)
    assert apart(trace.points, optax_path(make)) <= 1e-12


def stepped(optimizer: Any, start: Any) -> np.ndarray:
    """`Optimizer.step` from Python on whatever kind of array the start is."""
    p, state = start, optimizer.init(start)
    path = [np.asarray(p).copy()]
    for _ in range(STEPS):
        p, state = optimizer.step(p, slope(p), state)
        path.append(np.asarray(p).copy())
    assert type(p) is type(start) or isinstance(p, jax.Array)
    return np.array(path)


@rules
def test_step_by_step_as_torch_and_optax(name: str) -> None:
    ours, kind, options, make = PAIRS[name]
    path = stepped(ours, START)
    assert apart(path, torch_path(kind, options)) <= 1e-12
    assert apart(path, optax_path(make)) <= 1e-12


@rules
def test_numpy_jax_and_torch_tensors_give_the_same_numbers(name: str) -> None:
    ours = PAIRS[name][0]
    numpy = stepped(ours, START)
    assert apart(stepped(ours, torch.tensor(START)), numpy) <= 1e-12
    with jax.enable_x64(True):
        assert apart(stepped(ours, jnp.asarray(START)), numpy) <= 1e-12


@rules
def test_the_comparison_sees_a_rate_one_part_in_a_thousand_off(name: str) -> None:
    ours, kind, options, _ = PAIRS[name]
    trace = ds.descend(banana, START, ours.with_values(lr=options["lr"] * 1.001), steps=STEPS)
    assert apart(trace.points, torch_path(kind, options)) > 1e-5


# -- one mistake, made by swapping an equation -----------------------------------------------------------------------------


def forgotten_v_correction(lr: float, beta1: float, beta2: float, eps: float) -> np.ndarray:
    """Adam without the second correction, written out on plain floats."""
    p, m, v = list(START), [0.0, 0.0], [0.0, 0.0]
    path = [tuple(p)]
    for t in range(1, STEPS + 1):
        g = [float(x) for x in slope(np.array(p))]
        for i in range(2):
            m[i] = beta1 * m[i] + (1 - beta1) * g[i]
            v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
            p[i] -= lr * (m[i] / (1 - beta1**t)) / (v[i] ** 0.5 + eps)
        path.append(tuple(p))
    return np.array(path)


def test_one_swapped_equation_is_the_same_mistake_on_three_backends_and_in_the_loop() -> None:
    hyper = {"lr": 0.05, "beta1": 0.8, "beta2": 0.97, "eps": 1e-3}
    wrong = swap(ds.adam, "v_hat", "s.v")(**hyper)
    expected = forgotten_v_correction(**hyper)
    assert apart(stepped(wrong, START), expected) <= 1e-12
    assert apart(stepped(wrong, torch.tensor(START)), expected) <= 1e-12
    with jax.enable_x64(True):
        assert apart(stepped(wrong, jnp.asarray(START)), expected) <= 1e-12
    assert apart(ds.descend(banana, START, wrong, steps=STEPS).points, expected) <= 1e-12
    assert apart(stepped(ds.adam(**hyper), START), expected) > 0.05


def test_a_swapped_rule_is_a_program_of_its_own() -> None:
    """Compiled code is not shared between a rule and its changed copy, in either order."""
    right, wrong = ds.adam(lr=0.05), swap(ds.adam, "m_hat", "s.m")(lr=0.05)
    first = ds.descend(banana, START, right, steps=5).points
    other = ds.descend(banana, START, wrong, steps=5).points
    again = ds.descend(banana, START, right, steps=5).points
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_swap_leaves_the_registry_alone() -> None:
    from descend.rules import OPTIMIZERS

    before = dict(OPTIMIZERS)
    swap(ds.adam, "v_hat", "s.v")
    assert before == OPTIMIZERS
