"""Torch optimizers that ask for more than parameters and gradients, and optax transformations in short and in long runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import optax
import pytest
import torch

from descend.check import check
from descend.check.adapters import Plan, open_session, plan_for
from descend.check.loading import Failed
from descend.check.optaxsession import UNCOMPILED


class Base(torch.optim.Optimizer):
    """Plain descent."""

    def __init__(self, params: Any, lr: float = 0.1, maximize: bool = False) -> None:
        super().__init__(params, {"lr": lr, "maximize": maximize})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.sub_(group["lr"] * (-p.grad if group["maximize"] else p.grad))


class Closed(Base):
    """A step that needs the loss."""

    def step(self, closure: Any = None) -> None:
        if closure is None:
            raise RuntimeError("a closure is required")
        loss = closure()
        assert loss.requires_grad
        super().step()


class Marked(Base):
    """Groups that say which of them are matrices."""

    def __init__(self, params: Any, lr: float = 0.1) -> None:
        for group in params:
            if "use_muon" not in group:
                raise ValueError("`use_muon` must be set.")
        super().__init__(params, lr)


class OfModel(Base):
    """It goes through the parameters of a model by itself."""

    def __init__(self, model: torch.nn.Module, lr: float = 0.1) -> None:
        super().__init__([p for _, p in model.named_parameters()], lr)


class Around(Base):
    """A second optimizer does the work."""

    def __init__(self, params: Any, base_optimizer: type, num_iterations: int, lr: float = 0.1) -> None:
        super().__init__(params, lr)
        assert num_iterations > 1
        self.base = base_optimizer(self.param_groups, lr=lr)

    def step(self, closure: Any = None) -> None:
        self.base.step()


class Curved(Base):
    """It divides by the diagonal of the Hessian."""

    def step(self, closure: Any = None) -> None:
        params = [p for p in self.param_groups[0]["params"] if p.grad is not None]
        ones = [torch.ones_like(p) for p in params]
        diagonal = torch.autograd.grad([p.grad for p in params], params, ones)
        assert all(torch.equal(h, one) for h, one in zip(diagonal, ones, strict=True))
        super().step()


class Forwarding(Base):
    """Its arguments are those of another class: maximize turns the decay as well."""

    def __init__(self, params: Any, **kwargs: Any) -> None:
        super().__init__(params, **kwargs)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.sub_(group["lr"] * p.grad * (-2.0 if group["maximize"] else 1.0))


class Unmade(Base):
    """An argument that only its author knows."""

    def __init__(self, params: Any, rho_scheduler: Any) -> None:
        super().__init__(params, rho_scheduler.step())


class Backward(Base):
    """It has a backward pass of its own."""

    def step(self, closure: Any = None) -> None:
        raise NotImplementedError

    def fused_backward(self, loss: Any) -> None:
        """Instead of loss.backward()."""


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (Closed, "torch.optim.Optimizer, with a closure"),
        (Marked, "torch.optim.Optimizer, use_muon = True"),
        (OfModel, "torch.optim.Optimizer, given a model"),
        (Around, "torch.optim.Optimizer, around torch's SGD, num_iterations = 1000"),
        (Curved, "torch.optim.Optimizer"),
    ],
)
def test_what_it_asks_for_is_handed_over(cls: type, words: str) -> None:
    report = check(cls, "sgd")
    assert report.driven == words
    assert report.verdict == "right", str(report)
    assert any("not seen" in r for r in report.remarks) == (cls in (Closed, Curved))


def test_what_is_not_seen_is_not_recognised() -> None:
    assert check(Closed).verdict == "no_reference"
    assert check(Base).verdict == "right"


def test_arguments_that_reach_the_groups_through_kwargs() -> None:
    plan = plan_for(Forwarding, "Forwarding", None, None)
    assert {a["name"]: a["default"] for a in plan.arguments} == {"lr": 0.1, "maximize": False}
    report = check(Forwarding, "sgd")
    assert [m.name for m in report.mistakes] == ["maximize is not descent on −g"]


@pytest.mark.parametrize(("cls", "words"), [(Unmade, "rho_scheduler"), (Backward, "fused_backward(")])
def test_what_is_missing_is_named(cls: type, words: str) -> None:
    report = check(cls)
    assert report.verdict == "could_not_run"
    assert words in report.message


def test_parameters_that_no_step_has_moved_keep_their_arguments() -> None:
    class Masked(Forwarding):
        def step(self, closure: Any = None) -> None:
            if torch.rand(()) > 2.0:
                super().step()

    assert {a["name"] for a in plan_for(Masked, "Masked", None, None).arguments} == {"lr", "maximize"}


def updates(factory: Any, steps: int, plan: Plan) -> np.ndarray:
    """The points of a run, as one row a step."""
    rng = np.random.default_rng(3)
    session = open_session(plan, [rng.normal(size=(3, 2))], {}, None, "float64")
    rows = []
    for _ in range(steps):
        session.step([rng.normal(size=(3, 2))])
        rows.append(session.points()[0].ravel())
    return np.array(rows)


def test_short_runs_of_optax_are_not_compiled_and_long_ones_are() -> None:
    plan = Plan("optax", lambda: optax.adam(0.1))
    short = updates(plan.target, 30, plan)
    assert list(plan.programs) == ["branches"]
    long = updates(plan.target, UNCOMPILED + 30, plan)
    assert len(plan.programs) == 2
    np.testing.assert_allclose(long[:30], short, rtol=1e-13)
    again = updates(plan.target, UNCOMPILED + 30, plan)  # compiled from its first step
    np.testing.assert_allclose(again, long, rtol=1e-12)


def test_an_update_that_branches_is_compiled_at_once() -> None:
    plan = Plan("optax", lambda: optax.novograd(0.1))
    updates(plan.target, 2, plan)
    assert plan.programs["branches"]
    assert len(plan.programs) == 2


def test_an_update_that_asks_for_the_loss_is_told_so() -> None:
    report = check(optax.polyak_sgd)
    assert report.verdict == "could_not_run"
    assert "asks for value" in report.message


def test_a_layout_is_refused_in_words() -> None:
    with pytest.raises(Failed, match="layout"):
        open_session(Plan("optax", lambda: optax.sgd(0.1)), [np.ones(3)], {}, None, "float64", ["params"])
