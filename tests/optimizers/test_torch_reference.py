"""Every rule that torch.optim has, against torch.optim: fixed gradient sequences in float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from fixed_gradients import Arrays, apart, run, sequence, start

from descend.optimizers import (
    adadelta,
    adafactor,
    adagrad,
    adam,
    adamax,
    adamw,
    amsgrad,
    asgd,
    momentum,
    nadam,
    nesterov,
    radam,
    rmsprop,
    rprop,
    sgd,
)
from descend.rules import Optimizer
from descend.schedules import linear, one_cycle, one_cycle_momentum

B = {"betas": (0.8, 0.95)}
OURS_B = {"beta1": 0.8, "beta2": 0.95}

#: One row per setting: ours, torch's class, torch's arguments. The eps are large, so that where they stand matters.
ROWS: list[tuple[Optimizer, type[torch.optim.Optimizer], dict[str, Any]]] = [
    (sgd(lr=0.03), torch.optim.SGD, {"lr": 0.03}),
    (sgd(lr=0.03, weight_decay=0.1), torch.optim.SGD, {"lr": 0.03, "weight_decay": 0.1}),
    (sgd(lr=0.03, weight_decay=0.1, maximize=True), torch.optim.SGD, {"lr": 0.03, "weight_decay": 0.1, "maximize": True}),
    (momentum(lr=0.03), torch.optim.SGD, {"lr": 0.03, "momentum": 0.9}),
    (momentum(lr=0.03, momentum=0.7, dampening=0.4), torch.optim.SGD, {"lr": 0.03, "momentum": 0.7, "dampening": 0.4}),
    (momentum(momentum=0.7, weight_decay=0.2), torch.optim.SGD, {"lr": 0.01, "momentum": 0.7, "weight_decay": 0.2}),
    (nesterov(lr=0.03, momentum=0.8), torch.optim.SGD, {"lr": 0.03, "momentum": 0.8, "nesterov": True}),
    (
        nesterov(lr=0.03, weight_decay=0.1, maximize=True),
        torch.optim.SGD,
        {"lr": 0.03, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True},
    ),
    (asgd(), torch.optim.ASGD, {}),
    (
        asgd(lr=0.1, lambd=0.3, alpha=0.6, t0=4.0, weight_decay=0.1),
        torch.optim.ASGD,
        {"lr": 0.1, "lambd": 0.3, "alpha": 0.6, "t0": 4, "weight_decay": 0.1},
    ),
    (rmsprop(), torch.optim.RMSprop, {}),
    (rmsprop(rho=0.9, eps=1e-2, centered=True), torch.optim.RMSprop, {"alpha": 0.9, "eps": 1e-2, "centered": True}),
    (
        rmsprop(lr=0.1, eps=1e-2, momentum=0.6, weight_decay=0.1),
        torch.optim.RMSprop,
        {"lr": 0.1, "eps": 1e-2, "momentum": 0.6, "weight_decay": 0.1},
    ),
    (
        rmsprop(rho=0.9, eps=1e-2, momentum=0.6, centered=True, maximize=True),
        torch.optim.RMSprop,
        {"alpha": 0.9, "eps": 1e-2, "momentum": 0.6, "centered": True, "maximize": True},
    ),
    (adagrad(), torch.optim.Adagrad, {}),
    (
        adagrad(lr=0.1, lr_decay=0.2, v0=0.3, eps=1e-2, weight_decay=0.1),
        torch.optim.Adagrad,
        {"lr": 0.1, "lr_decay": 0.2, "initial_accumulator_value": 0.3, "eps": 1e-2, "weight_decay": 0.1},
    ),
    (adadelta(), torch.optim.Adadelta, {}),
    (
        adadelta(lr=0.5, rho=0.8, eps=1e-2, weight_decay=0.1),
        torch.optim.Adadelta,
        {"lr": 0.5, "rho": 0.8, "eps": 1e-2, "weight_decay": 0.1},
    ),
    (rprop(), torch.optim.Rprop, {}),
    (
        rprop(lr=0.2, eta_minus=0.3, eta_plus=1.7, step_min=0.1, step_max=0.5, maximize=True),
        torch.optim.Rprop,
        {"lr": 0.2, "etas": (0.3, 1.7), "step_sizes": (0.1, 0.5), "maximize": True},
    ),
    (adafactor(), torch.optim.Adafactor, {}),
    (
        adafactor(lr=0.3, beta2_decay=-0.5, eps1=1e-2, eps2=1e-1, d=1.5, weight_decay=0.1),
        torch.optim.Adafactor,
        {"lr": 0.3, "beta2_decay": -0.5, "eps": (1e-2, 1e-1), "d": 1.5, "weight_decay": 0.1},
    ),
    (adam(), torch.optim.Adam, {}),
    (adam(lr=0.1, eps=1e-2, weight_decay=0.1, **OURS_B), torch.optim.Adam, {"lr": 0.1, "eps": 1e-2, "weight_decay": 0.1, **B}),
    (
        adam(lr=0.1, eps=1e-2, weight_decay=0.1, decoupled=True, **OURS_B),
        torch.optim.AdamW,
        {"lr": 0.1, "eps": 1e-2, "weight_decay": 0.1, **B},
    ),
    (adamw(), torch.optim.AdamW, {}),
    (
        adamw(lr=0.1, eps=1e-2, weight_decay=0.3, maximize=True, **OURS_B),
        torch.optim.AdamW,
        {"lr": 0.1, "eps": 1e-2, "weight_decay": 0.3, "maximize": True, **B},
    ),
    (amsgrad(eps=1e-2, **OURS_B), torch.optim.Adam, {"eps": 1e-2, "amsgrad": True, **B}),
    (
        amsgrad(weight_decay=0.2, decoupled=True, **OURS_B),
        torch.optim.AdamW,
        {"amsgrad": True, "weight_decay": 0.2, **B},
    ),
    (adamax(), torch.optim.Adamax, {}),
    (
        adamax(lr=0.1, eps=1e-2, weight_decay=0.1, **OURS_B),
        torch.optim.Adamax,
        {"lr": 0.1, "eps": 1e-2, "weight_decay": 0.1, **B},
    ),
    (nadam(), torch.optim.NAdam, {}),
    (
        nadam(lr=0.1, eps=1e-2, momentum_decay=0.5, weight_decay=0.1, **OURS_B),
        torch.optim.NAdam,
        {"lr": 0.1, "eps": 1e-2, "momentum_decay": 0.5, "weight_decay": 0.1, **B},
    ),
    (
        nadam(lr=0.1, momentum_decay=1.0, weight_decay=0.1, decoupled=True),
        torch.optim.NAdam,
        {"lr": 0.1, "momentum_decay": 1.0, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ),
    (radam(), torch.optim.RAdam, {}),
    (
        radam(lr=0.1, eps=1e-2, weight_decay=0.1, **OURS_B),
        torch.optim.RAdam,
        {"lr": 0.1, "eps": 1e-2, "weight_decay": 0.1, **B},
    ),
    (
        radam(lr=0.1, beta2=0.9, weight_decay=0.1, decoupled=True),
        torch.optim.RAdam,
        {"lr": 0.1, "betas": (0.9, 0.9), "weight_decay": 0.1, "decoupled_weight_decay": True},
    ),
]


@pytest.fixture(autouse=True)
def scalars_in_float64() -> Iterator[None]:
    """torch keeps its single numbers (NAdam's product of μ, ASGD's rate) in the default type: float32 unless told."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def run_torch(make: Callable[[list[torch.Tensor]], torch.optim.Optimizer], ps: Arrays, gs: list[Arrays]) -> list[Arrays]:
    """The points visited by a torch optimizer, the start among them."""
    params = [torch.tensor(p, requires_grad=True) for p in ps]
    theirs = make(params)
    points = [[p.detach().numpy().copy() for p in params]]
    for g in gs:
        for p, gradient in zip(params, g, strict=True):
            p.grad = torch.tensor(gradient)
        theirs.step()
        points.append([p.detach().numpy().copy() for p in params])
    return points


@pytest.mark.parametrize(("ours", "cls", "arguments"), ROWS, ids=lambda x: f"{x!r}" if isinstance(x, Optimizer) else "")
def test_equals_torch(ours: Optimizer, cls: type[torch.optim.Optimizer], arguments: dict[str, Any]) -> None:
    ps, gs = start(), sequence(20)
    theirs = run_torch(lambda params: cls(params, foreach=False, **arguments), ps, gs)
    assert apart(run(ours, ps, gs), theirs) <= 1e-12


def test_the_comparison_sees_a_wrong_equation() -> None:
    ps, gs = start(), sequence(20)
    theirs = run_torch(lambda params: torch.optim.Adam(params), ps, gs)
    assert apart(run(adamw(weight_decay=0.0, beta2=0.998), ps, gs), theirs) > 1e-4
    assert apart(run(adam(eps=1.1e-8), ps, gs), theirs) > 1e-12


def test_the_average_of_asgd_is_torchs() -> None:
    ps, gs = start(), sequence(20)
    ours = asgd(lr=0.1, lambd=0.01, t0=3.0)
    params = [torch.tensor(p, requires_grad=True) for p in ps]
    theirs = torch.optim.ASGD(params, lr=0.1, lambd=0.01, t0=3)
    state = ours.init(list(ps))
    assert all(np.array_equal(a, b) for a, b in zip(ours.report(ps, state), ps, strict=True))
    for g in gs:
        ps, state = ours.step(list(ps), g, state)
        for p, gradient in zip(params, g, strict=True):
            p.grad = torch.tensor(gradient)
        theirs.step()
    for a, p in zip(ours.report(ps, state), params, strict=True):
        np.testing.assert_allclose(a, theirs.state[p]["ax"].numpy(), rtol=0, atol=1e-13)


# -- changes in mid-run --------------------------------------------------------------------------------------------------------

STEPS = 24
RATE, BETA, SLOW = (
    one_cycle(0.3, steps=STEPS),
    one_cycle_momentum(STEPS, low=0.6, high=0.93),
    linear(0.9, steps=STEPS, end=0.99),
)

#: Ours with schedules, torch's class and arguments, and what torch's group is set to before each step.
MOVING: list[tuple[Optimizer, type[torch.optim.Optimizer], dict[str, Any], Callable[[int], dict[str, Any]]]] = [
    (momentum(lr=RATE, momentum=BETA), torch.optim.SGD, {"momentum": 0.9}, lambda t: {"lr": RATE(t), "momentum": BETA(t)}),
    (
        nesterov(lr=RATE, momentum=BETA),
        torch.optim.SGD,
        {"momentum": 0.9, "nesterov": True},
        lambda t: {"lr": RATE(t), "momentum": BETA(t)},
    ),
    (
        rmsprop(lr=RATE, rho=SLOW, momentum=BETA),
        torch.optim.RMSprop,
        {"momentum": 0.9},
        lambda t: {"lr": RATE(t), "momentum": BETA(t), "alpha": SLOW(t)},
    ),
    (asgd(lr=RATE, lambd=0.1), torch.optim.ASGD, {"lambd": 0.1}, lambda t: {"lr": RATE(t)}),
    (rprop(lr=0.1, eta_plus=linear(1.2, steps=STEPS, end=1.9)), torch.optim.Rprop, {"lr": 0.1}, lambda t: {"etas": etas(t)}),
    (adafactor(lr=RATE), torch.optim.Adafactor, {}, lambda t: {"lr": RATE(t)}),
    (
        adamw(lr=RATE, weight_decay=linear(0.3, steps=STEPS)),
        torch.optim.AdamW,
        {},
        lambda t: {"lr": RATE(t), "weight_decay": linear(0.3, steps=STEPS)(t)},
    ),
    *(
        (rule(lr=RATE, beta1=BETA, beta2=SLOW), cls, arguments, lambda t: {"lr": RATE(t), "betas": (BETA(t), SLOW(t))})
        for rule, cls, arguments in [
            (adam, torch.optim.Adam, {}),
            (adamw, torch.optim.AdamW, {}),
            (amsgrad, torch.optim.Adam, {"amsgrad": True}),
            (adamax, torch.optim.Adamax, {}),
            (nadam, torch.optim.NAdam, {}),
            (radam, torch.optim.RAdam, {}),
        ]
    ),
]


def etas(t: int) -> tuple[float, float]:
    return 0.5, float(linear(1.2, steps=STEPS, end=1.9)(t))


def plain_numbers(value: Any) -> Any:
    return tuple(map(plain_numbers, value)) if isinstance(value, tuple) else float(value)


@pytest.mark.parametrize(
    ("ours", "cls", "arguments", "values"), MOVING, ids=lambda x: x.name if isinstance(x, Optimizer) else ""
)
def test_one_cycle_of_rate_and_beta_equals_torch(
    ours: Optimizer, cls: type[torch.optim.Optimizer], arguments: dict[str, Any], values: Callable[[int], dict[str, Any]]
) -> None:
    ps, gs = start(), sequence(STEPS)
    params = [torch.tensor(p, requires_grad=True) for p in ps]
    first = {k: plain_numbers(v) for k, v in values(0).items()}
    theirs, points = cls(params, **(arguments | first)), [ps]  # type: ignore[call-arg]
    for t, g in enumerate(gs):
        theirs.param_groups[0].update({k: plain_numbers(v) for k, v in values(t).items()})
        for p, gradient in zip(params, g, strict=True):
            p.grad = torch.tensor(gradient)
        theirs.step()
        points.append([p.detach().numpy().copy() for p in params])
    assert apart(run(ours, ps, gs), points) <= 1e-12


def test_torchs_own_one_cycle_scheduler_with_adam() -> None:
    ps, gs = start(), sequence(STEPS)
    params = [torch.tensor(p, requires_grad=True) for p in ps]
    theirs = torch.optim.Adam(params)
    scheduler, points = torch.optim.lr_scheduler.OneCycleLR(theirs, 0.3, STEPS + 1), [ps]
    for g in gs:
        for p, gradient in zip(params, g, strict=True):
            p.grad = torch.tensor(gradient)
        theirs.step()
        scheduler.step()
        points.append([p.detach().numpy().copy() for p in params])
    ours = adam(lr=one_cycle(0.3, steps=STEPS + 1), beta1=one_cycle_momentum(STEPS + 1))
    assert apart(run(ours, ps, gs), points) <= 1e-12
