"""No false alarms on libraries that are right, and the bugs that are shipped."""

# ruff: noqa: E501  (tables)
from __future__ import annotations

import optax
import pytest
import torch

from descend.check import check

TORCH = {
    "SGD": "right", "Adam": "right", "AdamW": "right", "Adamax": "right", "NAdam": "right", "RAdam": "right", "Adagrad": "right",
    "Adadelta": "right", "RMSprop": "right", "Rprop": "right", "ASGD": "right", "Adafactor": "right", "Muon": "dialect",
}  # fmt: skip
OPTAX = {
    "sgd": "right", "adam": "right", "adamw": "right", "adamax": "right", "lion": "right", "sign_sgd": "right", "adadelta": "right",
    "amsgrad": "dialect", "nadam": "dialect", "radam": "dialect", "rmsprop": "dialect", "adagrad": "dialect", "adamaxw": "dialect",
    "nadamw": "dialect", "lamb": "right", "adafactor": "dialect",
}  # fmt: skip
CONTRIB = {"prodigy": "dialect", "schedule_free_sgd": "right", "schedule_free_adamw": "right", "muon": "dialect"}


@pytest.mark.parametrize("name", TORCH)
def test_torch(name: str) -> None:
    report = check(getattr(torch.optim, name))
    assert report.verdict == TORCH[name], str(report)
    assert not report.mistakes


@pytest.mark.parametrize(("name", "reference"), [("SGD", "nesterov"), ("Adam", "amsgrad"), ("AdamW", "adamw")])
def test_torch_with_switches(name: str, reference: str) -> None:
    assert check(getattr(torch.optim, name), reference).verdict == "right"


def test_torch_numbers_keep_their_type() -> None:
    before = torch.get_default_dtype()
    check(torch.optim.NAdam)
    assert torch.get_default_dtype() is before


SLOW = [pytest.param(n, marks=pytest.mark.slow) for n in ("nadamw", "adamaxw", "lamb", "adafactor", "adadelta", "sign_sgd")]
QUICK = [n for n in OPTAX if n not in ("nadamw", "adamaxw", "lamb", "adafactor", "adadelta", "sign_sgd")]


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_optax(name: str) -> None:
    report = check(getattr(optax, name))
    assert report.verdict == OPTAX[name], str(report)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTRIB)
def test_optax_contrib(name: str) -> None:
    report = check(getattr(optax.contrib, name))
    assert report.verdict == CONTRIB[name], str(report)


def test_optax_rprop_is_one_step_late() -> None:
    report = check(optax.rprop)
    assert report.verdict == "wrong"
    assert [m.name for m in report.mistakes] == ["the step of the iteration before is applied: every step is one gradient late"]


def test_optax_adan_weighs_the_change_by_one_minus_beta2() -> None:
    report = check(optax.adan)
    assert report.verdict == "wrong"
    assert [m.name for m in report.mistakes] == ["the change of the gradient counts 1 − β₂ and not β₂"]


def test_adamw_checked_as_adam_is_told_by_its_decay() -> None:
    report = check(torch.optim.AdamW, "adam")
    assert report.verdict in ("right", "dialect")
    assert "decoupled_weight_decay" in report.mapping or "decoupled" in report.message
