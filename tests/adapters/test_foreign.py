"""optax transformations and torch.optim classes where descend takes an optimizer: as they are alone."""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from descend.errors import DescendError
from descend.foreign import as_descend_optimizer
from descend.loop import descend
from descend.optimizers import adam
from descend.schedules import cosine

START = [4.0, 3.0]
STEPS = 30


def ravine(p: Any) -> Any:
    return p[0] ** 2 + 3.0 * p[1] ** 2 + p[0] * p[1]


def by_optax(tx: Any) -> Any:
    with jax.enable_x64(True):
        p = jnp.array(START)
        state, visited = tx.init(p), [np.array(START)]
        for _ in range(STEPS):
            updates, state = tx.update(jax.grad(ravine)(p), state, p)
            p = optax.apply_updates(p, updates)
            visited.append(np.asarray(p))
    return np.array(visited)


def by_torch(make: Any, rates: Any = None) -> Any:
    p = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    optimizer, visited = make([p]), [np.array(START)]
    for step in range(STEPS):
        if rates is not None:
            optimizer.param_groups[0]["lr"] = rates[step]
        optimizer.zero_grad()
        ravine(p).backward()
        optimizer.step()
        visited.append(p.detach().numpy().copy())
    return np.array(visited)


OPTAX: dict[str, Any] = {
    "sgd": optax.sgd(0.05),
    "momentum": optax.sgd(0.05, momentum=0.9),
    "adam": optax.adam(0.1),
    "adamw": optax.adamw(0.1),
    "adabelief": optax.adabelief(0.1),
    "yogi": optax.yogi(0.1),
    "lion": optax.lion(0.1),
    "adafactor": optax.adafactor(0.1),
    "scheduled": optax.adam(optax.cosine_decay_schedule(0.1, 20)),
    "chain": optax.chain(optax.clip_by_global_norm(1.0), optax.trace(0.9), optax.scale(-0.05)),
    "accumulated": optax.MultiSteps(optax.sgd(0.1), every_k_schedule=3).gradient_transformation(),
    "lookahead-like ema": optax.chain(optax.adam(0.1), optax.ema(0.5)),
    "injected": optax.inject_hyperparams(optax.adam)(learning_rate=0.1),
    "injected schedule": optax.inject_hyperparams(optax.adam)(learning_rate=optax.cosine_decay_schedule(0.1, 20)),
    "rprop": optax.rprop(0.1),
}


@pytest.mark.parametrize("name", list(OPTAX))
def test_optax_driven_by_descend_is_optax_alone(name: str) -> None:
    trace = descend(ravine, START, OPTAX[name], steps=STEPS)
    alone = by_optax(OPTAX[name])
    moved = np.abs(alone - alone[0]).max()
    assert np.abs(trace["point"] - alone).max() <= 1e-12 * moved
    assert moved > 0


def test_optax_on_a_function_with_a_gradient_of_its_own() -> None:
    """Driven a step at a time on NumPy arrays, in float64."""

    def value_and_slope(x: Any) -> Any:
        return np.array([2 * x[0] + x[1], 6 * x[1] + x[0]])

    optimizer = as_descend_optimizer(optax.adam(0.1))
    p, state = np.array(START), None
    state = optimizer.init(p)
    for _ in range(STEPS):
        p, state = optimizer.step(p, value_and_slope(p), state)
    assert isinstance(p, np.ndarray)
    assert p.dtype == np.float64
    assert np.abs(p - by_optax(optax.adam(0.1))[-1]).max() <= 1e-12


def test_injected_hyperparameters_are_ours_to_set() -> None:
    optimizer = as_descend_optimizer(optax.inject_hyperparams(optax.adam)(learning_rate=0.1))
    assert optimizer.hyperparameters["lr"] == 0.1
    changed = descend(ravine, START, optimizer.with_values(lr=0.02), steps=STEPS)
    assert np.abs(changed["point"] - by_optax(optax.adam(0.02))).max() <= 1e-7  # optax keeps the other numbers in float32
    scheduled = descend(ravine, START, optimizer.with_values(lr=cosine(0.1, steps=20)), steps=STEPS)
    theirs = by_optax(optax.adam(optax.cosine_decay_schedule(0.1, 20)))
    assert np.abs(scheduled["point"][:20] - theirs[:20]).max() <= 1e-6
    assert np.allclose(scheduled["lr"][:3], cosine(0.1, steps=20)([0, 1, 2]))
    with pytest.raises(DescendError, match="has no hyperparameter 'speed' to set from outside; it has lr, b1"):
        optimizer.with_values(speed=1.0)
    with pytest.raises(DescendError, match=r"make it with optax\.inject_hyperparams"):
        as_descend_optimizer(optax.adam(0.1)).with_values(lr=1.0)


def test_a_transformation_that_needs_more_says_so() -> None:
    with pytest.raises(DescendError, match="needs more than gradients and parameters"):
        as_descend_optimizer(optax.polyak_sgd()).init_leaves([np.ones(2)])


TORCH: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "SGD": (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    "Adagrad": (torch.optim.Adagrad, {"lr": 0.5}),
    "Adam": (torch.optim.Adam, {"lr": 0.1, "amsgrad": True}),
    "AdamW": (torch.optim.AdamW, {"lr": 0.1}),
    "ASGD": (torch.optim.ASGD, {"lr": 0.05}),
    "NAdam": (torch.optim.NAdam, {"lr": 0.1}),
    "Rprop": (torch.optim.Rprop, {"lr": 0.1}),
    "Adafactor": (torch.optim.Adafactor, {"lr": 0.1}),
}


@pytest.mark.parametrize("name", list(TORCH))
def test_torch_driven_by_descend_is_torch_alone(name: str) -> None:
    cls, settings = TORCH[name]
    trace = descend(ravine, START, functools.partial(cls, **settings), steps=STEPS)
    alone = by_torch(lambda ps: cls(ps, **settings))  # type: ignore[call-arg]
    assert np.abs(trace["point"] - alone).max() <= 1e-12 * np.abs(alone - alone[0]).max()
    assert trace.config["optimizer"] == f"torch.optim.{name}"


def test_every_way_of_naming_a_torch_optimizer() -> None:
    wanted = by_torch(lambda ps: torch.optim.AdamW(ps, lr=0.1))
    instance = torch.optim.AdamW([torch.zeros(1)], lr=0.1)
    for given in (functools.partial(torch.optim.AdamW, lr=0.1), instance, lambda ps: torch.optim.AdamW(ps, lr=0.1)):
        assert np.abs(descend(ravine, START, given, steps=STEPS)["point"] - wanted).max() <= 1e-12
    default = descend(ravine, START, torch.optim.AdamW, steps=STEPS)
    assert np.abs(default["point"] - by_torch(torch.optim.AdamW)).max() <= 1e-12


def test_a_schedule_of_ours_drives_torch() -> None:
    rates = cosine(0.1, steps=STEPS)
    trace = descend(ravine, START, functools.partial(torch.optim.Adam, lr=rates), steps=STEPS)
    wanted = by_torch(lambda ps: torch.optim.Adam(ps, lr=0.1), [float(rates(t)) for t in range(STEPS)])
    assert np.abs(trace["point"] - wanted).max() <= 1e-12


def test_a_torch_step_can_be_taken_again() -> None:
    """The state given is left as it is: the same step twice gives the same bits."""
    optimizer = as_descend_optimizer(functools.partial(torch.optim.Adam, lr=0.1))
    p = [np.array(START)]
    p, state = optimizer.step(p, [np.ones(2)], optimizer.init(p))
    before = {k: v.copy() for k, v in state["slots"][0].items()}
    first, after = optimizer.step(p, [np.array([1.0, -2.0])], state)
    second, _ = optimizer.step(p, [np.array([1.0, -2.0])], state)
    assert np.array_equal(first[0], second[0])
    assert all(np.array_equal(state["slots"][0][k], v) for k, v in before.items())
    assert int(after["slots"][0]["step"]) == 2


def test_what_cannot_be_driven_is_one_sentence() -> None:
    for given, sentence in (
        (torch.optim.LBFGS, "evaluates the loss within a step"),
        (torch.optim.SparseAdam, "takes sparse gradients alone"),
        (torch.optim.Muon, "refuses: Muon only supports 2D parameters"),
        (functools.partial(torch.optim.Adam, lr=-1.0), "refuses: Invalid learning rate: -1.0"),
    ):
        with pytest.raises(DescendError, match=sentence):
            as_descend_optimizer(given).init_leaves([np.ones(2)])
    for nothing in (3.0, "adam", object(), lambda x: x):
        with pytest.raises(DescendError, match="an optimizer is a rule such as adam"):
            as_descend_optimizer(nothing)
    assert as_descend_optimizer(adam).name == "adam"


def test_no_library_is_imported_before_it_is_needed() -> None:
    code = "import sys, descend, descend.foreign, descend.optimizers; assert not {'torch', 'optax'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
