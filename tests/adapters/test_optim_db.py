"""torch's own list of optimizer inputs: every one accounted for."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import parity
import pytest
import torch
from driving import MATRICES, SHAPES, apart, copies, drive, params
from parity import Case

from descend.errors import DescendError
from descend.torch import RuleOptimizer, as_optimizer, rule_of

HERE = [case for case in parity.inputs() if case.cls.__name__ not in parity.NOT_HERE]
EQUAL = 1e-12


@pytest.fixture(autouse=True)
def _double_scalars(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """torch keeps ASGD's eta and NAdam's product in the default type; Muon rounds to bfloat16, which is taken out here."""
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    yield
    torch.set_default_dtype(torch.float32)


def _shapes(case: Case) -> list[tuple[int, ...]]:
    return MATRICES if case.cls is torch.optim.Muon else SHAPES


def test_the_list_is_torchs_whole_list() -> None:
    assert len(list(parity.inputs())) == 91
    assert len(list(parity.error_inputs())) == 124
    assert len(HERE) == 82


@pytest.mark.parametrize("foreach", [None, False], ids=["lists", "one by one"])
@pytest.mark.parametrize("case", HERE, ids=lambda c: c.id)
def test_parameters_and_state_are_torchs(case: Case, foreach: bool | None) -> None:
    mine, theirs = params(_shapes(case)), params(_shapes(case))
    start = copies(theirs)
    ours = as_optimizer(rule_of(case.cls, **case.input.kwargs), mine, foreach=foreach)
    reference = case.cls(theirs, **case.input.kwargs)
    drive(ours, mine, range(12))
    drive(reference, theirs, range(12))
    assert apart(mine, theirs, start) <= EQUAL
    for p, q in zip(mine, theirs, strict=True):
        for name, value in reference.state[q].items():
            if value is not None:
                found = torch.as_tensor(ours.state[p][name], dtype=value.dtype)
                assert found.shape == value.shape, name
                assert float((found - value).abs().max()) <= EQUAL * float(value.abs().max()), name


@pytest.mark.parametrize("case", HERE, ids=lambda c: c.id)
def test_state_dicts_are_exchanged_in_mid_run(case: Case) -> None:
    """Both go 6 steps, swap their state_dicts, and go on as the one that never stopped."""
    whole, mine, theirs = params(_shapes(case)), params(_shapes(case)), params(_shapes(case))
    start, rule = copies(whole), rule_of(case.cls, **case.input.kwargs)
    reference = case.cls(whole, **case.input.kwargs)
    drive(reference, whole, range(12))
    first, second = as_optimizer(rule, mine), case.cls(theirs, **case.input.kwargs)
    drive(first, mine, range(6))
    drive(second, theirs, range(6))
    to_torch, to_ours = copy.deepcopy(first.state_dict()), copy.deepcopy(second.state_dict())
    ours, torchs = as_optimizer(rule, mine), case.cls(theirs, **case.input.kwargs)
    ours.load_state_dict(to_ours)
    torchs.load_state_dict(to_torch)
    drive(ours, mine, range(6, 12))
    drive(torchs, theirs, range(6, 12))
    assert apart(mine, whole, start) <= EQUAL
    assert apart(theirs, whole, start) <= EQUAL


def test_muon_with_torchs_rounding_is_one_percent_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    mine, theirs = params(MATRICES), params(MATRICES)
    start = copies(theirs)
    drive(as_optimizer(rule_of(torch.optim.Muon), mine), mine, range(12))
    drive(torch.optim.Muon(theirs), theirs, range(12))
    assert 1e-4 < apart(mine, theirs, start) < 0.03


@pytest.mark.parametrize("case", list(parity.error_inputs()), ids=lambda c: c.id)
def test_what_torch_refuses(case: Case) -> None:
    who, sentence = parity.answered(case)
    assert who == parity.expected(case)
    if who == "accepted":
        assert case.desc in parity.ACCEPTED
    elif who != "descend":  # found by the base class: then it is torch's very error
        assert case.error.error_regex.strip(".*")[:40] in sentence
    else:
        assert "\n" not in sentence


@pytest.mark.parametrize("name", sorted(parity.NOT_HERE))
def test_classes_without_a_rule_say_so(name: str) -> None:
    with pytest.raises(DescendError, match=f"no rule here follows torch.optim.{name}"):
        rule_of(getattr(torch.optim, name))


def test_a_tensor_rate_and_tensor_betas_are_numbers() -> None:
    mine, theirs = params(), params()
    ours = as_optimizer(rule_of(torch.optim.Adam, lr=torch.tensor(0.01), betas=(0.9, torch.tensor(0.99))), mine, foreach=True)
    assert isinstance(ours, RuleOptimizer)
    drive(ours, mine, range(5))
    drive(torch.optim.Adam(theirs, lr=0.01, betas=(0.9, 0.99)), theirs, range(5))
    assert apart(mine, theirs, copies(params())) <= EQUAL


def test_the_page_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "parity.md"
    torch.set_default_dtype(torch.float32)
    assert page.read_text(encoding="utf-8") == parity.rendered(), "run scripts/render_parity"
