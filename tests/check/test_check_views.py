"""Steps written through a view that may be a copy: parameters that are not contiguous in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from descend.check import check


def words(report: Any) -> str:
    return " ".join(str(report).split())


def torch_sgd(write: Callable[[Any, Any], None]) -> type[torch.optim.Optimizer]:
    class SGD(torch.optim.Optimizer):
        def __init__(self, params: Any, lr: float = 0.1) -> None:
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        write(p, group["lr"] * p.grad)

    return SGD


def numpy_sgd(write: Callable[[Any, Any], None]) -> type:
    class SGD:
        def __init__(self, lr: float = 0.1) -> None:
            self.lr = lr

        def step(self, params: Any, grads: Any) -> None:
            for p, g in zip(params, grads, strict=True):
                write(p, self.lr * g)

    return SGD


def through_reshape(p: Any, step: Any) -> None:
    p = p.reshape(-1)
    p -= step.reshape(-1)


def through_contiguous(p: Any, step: Any) -> None:
    p = p.contiguous()
    p.sub_(step)


def through_view(p: Any, step: Any) -> None:
    p = p.view(-1)
    p -= step.view(-1)


def through_flatten(p: Any, step: Any) -> None:
    p = p.flatten()
    p -= step.flatten()


def in_memory_order(p: Any, step: Any) -> None:
    p -= np.ravel(step, order="K").reshape(p.shape)


def as_it_is(p: Any, step: Any) -> None:
    p -= step


def by_rows(p: Any, step: Any) -> None:
    for i in range(len(p)):
        p[i] -= step[i]


@pytest.mark.parametrize("make", [torch_sgd, numpy_sgd])
@pytest.mark.parametrize("write", [as_it_is, by_rows])
def test_writing_into_p_itself_is_right(make: Any, write: Any) -> None:
    report = check(make(write), "sgd")
    assert report.verdict == "right", words(report)
    assert "contiguous" not in words(report)


@pytest.mark.parametrize(
    ("make", "write"), [(torch_sgd, through_reshape), (numpy_sgd, through_reshape), (torch_sgd, through_contiguous)]
)
def test_a_step_into_what_may_be_a_copy_is_named(make: Any, write: Any) -> None:
    report = check(make(write), "sgd")
    assert report.verdict == "wrong"
    (mistake,) = report.mistakes
    assert "the step is written to a copy" in mistake.name
    assert mistake.equation == "any layout in memory"
    assert "write into p itself" in words(report)
    assert "The equations are right" in words(report)


def test_a_view_that_fails_is_told_with_its_line_and_is_not_called_wrong() -> None:
    report = check(torch_sgd(through_view), "sgd")
    assert report.verdict == "right"
    assert "a parameter that is not contiguous in memory" in words(report)
    assert "test_check_views.py" in words(report)


def test_a_copy_in_every_case_moves_nothing() -> None:
    report = check(numpy_sgd(through_flatten), "sgd")
    assert report.verdict == "wrong"
    assert "changes nothing" in words(report)
    assert "flatten" in report.mistakes[0].hint


def test_entries_paired_in_the_order_of_memory() -> None:
    report = check(numpy_sgd(in_memory_order), "sgd")
    assert report.verdict == "wrong"
    assert "paired in the order of memory" in report.mistakes[0].name


def test_a_function_that_gives_back_what_it_reshaped_is_right() -> None:
    def sgd(p, g, lr=0.1):  # type: ignore[no-untyped-def]
        flat = p.reshape(-1)
        flat -= lr * g.reshape(-1)
        return flat.reshape(p.shape)

    assert check(sgd, "sgd").verdict == "right"


def test_state_in_the_layout_of_the_first_gradient() -> None:
    class Momentum:
        def __init__(self, lr: float = 0.01, momentum: float = 0.9) -> None:
            self.lr, self.momentum, self.b = lr, momentum, None

        def step(self, params: Any, grads: Any) -> None:
            if self.b is None:
                self.b = [np.zeros(g.size) for g in grads]
            for p, g, b in zip(params, grads, self.b, strict=True):
                b *= self.momentum
                b += g.ravel("K")
                p -= self.lr * b.reshape(p.shape)

    report = check(Momentum, "momentum")
    assert report.verdict == "wrong"
    assert "order of memory" in report.mistakes[0].name


def test_changing_a_leaf_while_torch_records_is_explained() -> None:
    class SGD(torch.optim.Optimizer):
        def __init__(self, params: Any, lr: float = 0.1) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> None:
            for p in self.param_groups[0]["params"]:
                p -= self.param_groups[0]["lr"] * p.grad

    report = check(SGD, "sgd")
    assert report.verdict == "could_not_run"
    assert "torch.no_grad()" in report.message
    assert "test_check_views.py" in report.message
