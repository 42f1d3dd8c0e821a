"""What an optimizer keeps tells its mistakes apart: arrays are found wherever they are, and each is compared with ours."""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

from descend.check import check
from descend.check.dialects import references
from descend.check.probes import probes_for
from descend.check.reach import arrays_within
from descend.check.settled import settled
from descend.check.variants import rule_tree, trajectory
from descend.rules import OPTIMIZERS


class Pair(NamedTuple):
    first: Any
    second: Any


class Slotted:
    __slots__ = ("empty", "m")

    def __init__(self) -> None:
        self.m = np.full(3, 2.0)


class Under:
    __slots__ = "v"

    def __init__(self) -> None:
        self.v = np.full(3, 8.0)


class Over(Under):
    """Slots of the class it comes from, and attributes that nobody may ask for."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def with_default(g: Any, kept: list[Any] = [np.full(3, 9.0)]) -> Any:  # noqa: B006, B008  (as people write it)
    return kept[0] + g


ELSEWHERE = {"cache": np.full(3, 5.0)}


def closing_over() -> Callable[[], Any]:
    kept = {"v": np.full(3, 3.0)}

    def step() -> Any:
        return kept, ELSEWHERE["cache"]

    return step


@pytest.mark.parametrize(
    ("root", "way", "value"),
    [
        ({"state": [np.ones(3)]}, "state.0", 1.0),
        ({"state": Pair(np.ones(2), {"a": np.full(3, 4.0)})}, "state.second.a", 4.0),
        ({"opt": Slotted()}, "opt.m", 2.0),
        ({"call": closing_over()}, "call.kept.v", 3.0),
        ({"call": closing_over()}, "call.ELSEWHERE.cache", 5.0),
        ({"call": partial(sum, np.full(3, 6.0))}, "call.0", 6.0),
        ({"opt": Over()}, "opt.v", 8.0),
        ({"call": with_default}, "call.default 0.0", 9.0),
        ({"last": deque([np.full(3, 10.0)])}, "last.0", 10.0),
        ({"by parameter": {object(): np.full((3, 1), 7.0)}}, "by parameter.0", 7.0),
    ],
)
def test_arrays_are_found_where_they_are(root: Any, way: str, value: float) -> None:
    assert arrays_within(root, 3)[way] == [value] * 3


def test_what_is_no_state_is_left_alone() -> None:
    loop: dict[str, Any] = {"t": 3, "word": "m", "names": np.array(["a", "b"]), "big": np.zeros(9)}
    loop["itself"] = loop
    assert arrays_within(loop, 3) == {}


@pytest.mark.parametrize("name", [n for n, rule in OPTIMIZERS.items() if not rule.sums])
def test_a_settled_form_is_the_form(name: str) -> None:
    """Every option settled changes nothing, and no line is left that asks for one."""
    rule = OPTIMIZERS[name]
    for ref in references(rule, True):
        made = settled(ref, frozenset())
        for probe in probes_for(rule, set(rule.hyperparameters) | {"weight_decay"})[:4]:
            held = {k: v for k, v in probe.values.items() if not isinstance(v, bool | str)}
            plain = type(probe)(probe.name, probe.start, probe.gradients, held, probe.changes)
            np.testing.assert_array_equal(trajectory(made, plain), trajectory(ref, plain))
        text = ast_text(made.rule)
        assert not any(f"if {n}" in text for n, h in rule.hyperparameters.items() if isinstance(h.default, bool))


def ast_text(rule: Any) -> str:
    import ast

    return "\n".join(ast.unparse(line) for line in rule_tree(rule).body)


class Adam:
    """Adam with what is wrong in each of its lines handed over."""

    wrong: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.t = lr, beta1, beta2, eps, 0
        self.memory: list[Any] = []

    def step(self, params, grads):
        self.t += 1
        self.memory = self.memory or [(np.zeros_like(p), np.zeros_like(p)) for p in params]
        b1, b2, t = self.beta1, self.beta2, self.t
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            m, v = self.memory[i]
            m = self.wrong.get("m", lambda m, g, b1, b2: b1 * m + (1 - b1) * g)(m, g, b1, b2)
            v = self.wrong.get("v", lambda v, g, b1, b2: b2 * v + (1 - b2) * g**2)(v, g, b1, b2)
            self.memory[i] = m, v
            v_hat = self.wrong.get("v_hat", lambda v, b1, b2, t: v / (1 - b2**t))(v, b1, b2, t)
            p -= self.lr * m / (1 - b1**t) / (np.sqrt(v_hat) + self.eps)


CASES: dict[str, dict[str, Callable[..., Any]]] = {
    "m and v": {"m": lambda m, g, b1, b2: b2 * m + (1 - b1) * g, "v": lambda v, g, b1, b2: b2 * v + (1 - b2) * abs(g)},
    "m and its neighbour": {"m": lambda m, g, b1, b2: b1 * m + g, "v_hat": lambda v, b1, b2, t: v / (1 - b1**t)},
    "all three": {
        "m": lambda m, g, b1, b2: b1 * m + (1 - b2) * g,
        "v": lambda v, g, b1, b2: b2 * v + (1 - b2) * abs(g),
        "v_hat": lambda v, b1, b2, t: v / (1 - b2 ** (t + 1)),
    },
}


@pytest.mark.parametrize("name", CASES)
def test_several_mistakes_are_named_each(name: str) -> None:
    report = check(type("Mine", (Adam,), {"wrong": CASES[name]}), "adam")
    assert report.verdict == "wrong"
    assert {m.equation for m in report.mistakes} == set(CASES[name]), str(report)
    assert "none of the known" not in report.message


def test_a_step_that_goes_nowhere_is_told_though_the_state_is_right() -> None:
    class Momentum:
        def __init__(self, lr=0.1, momentum=0.9):
            self.lr, self.momentum, self.b = lr, momentum, None

        def step(self, params, grads):
            self.b = self.b or [np.zeros_like(p) for p in params]
            for i, (p, g) in enumerate(zip(params, grads, strict=True)):
                self.b[i] = self.momentum * self.b[i] + g
                p = p - self.lr * self.b[i]  # a name of its own: nobody sees it

    report = check(Momentum, "momentum")
    assert [m.equation for m in report.mistakes] == ["p"]
    assert "changes nothing" in report.mistakes[0].name


@pytest.mark.parametrize("first", [0, 1])
def test_a_function_that_gives_back_the_number_of_the_next_step(first: int) -> None:
    """It adds one before it uses it, or after: right both ways."""

    def adam(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        k = t + 1 - first
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        with np.errstate(all="ignore"):
            p = p - lr * m / (1 - beta1**k) / (np.sqrt(v / (1 - beta2**k)) + eps)
        return p, m, v, t + 1

    assert check(adam, "adam").verdict == "right"


def test_torchs_adam_is_right_with_each_of_its_options() -> None:
    torch = pytest.importorskip("torch")
    report = check(torch.optim.Adam, "adam")
    assert report.verdict == "right", str(report)
    assert sum("it is right too" in remark for remark in report.remarks) == 2


def test_what_cannot_be_explained_is_beside_what_can() -> None:
    """One mistake that is known and one that is none of those searched: the first is named, and the step is."""
    wrong = {
        "m": lambda m, g, b1, b2: b2 * m + (1 - b1) * g,
        "v_hat": lambda v, b1, b2, t: np.cosh(v) ** 1.3 + np.sin(17 * v),
    }
    report = check(type("Mine", (Adam,), {"wrong": wrong}), "adam")
    assert report.verdict == "wrong"
    assert report.mistakes[0].equation == "m"
    assert "β₂ stands where β₁ should" in report.mistakes[0].name
    assert [m.equation for m in report.mistakes[1:]] == ["p"]


def test_an_equation_that_makes_every_step_nothing() -> None:
    class Adadelta:
        def __init__(self, lr=1.0, rho=0.9, eps=1e-6):
            self.lr, self.rho, self.eps, self.kept = lr, rho, eps, None

        def step(self, params, grads):
            self.kept = self.kept or [[np.zeros_like(p), np.zeros_like(p)] for p in params]
            for p, g, kept in zip(params, grads, self.kept, strict=True):
                kept[0] = self.rho * kept[0] + (1 - self.rho) * g**2
                d = np.sqrt(kept[1]) / np.sqrt(kept[0] + self.eps) * g  # ε is missing in the first root
                kept[1] = self.rho * kept[1] + (1 - self.rho) * d**2
                p -= self.lr * d

    report = check(Adadelta, "adadelta")
    assert [(m.equation, m.name) for m in report.mistakes] == [("d", "the term ε is missing in the equation for d")]
