"""Fifty-seven ways to write an optimizer: each is driven and called right, and wrong once a mistake is planted in it."""

from __future__ import annotations

import linecache
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from descend.check import check

HERE = Path(__file__).parent / "styles"


@dataclass(frozen=True)
class Style:
    """One block of a file: a module of its own, what is to be checked in it, and the mistake to plant."""

    name: str
    target: str
    rule: str
    old: str
    new: str
    source: str

    def made(self, *, wrong: bool) -> Any:
        """The object, with or without the mistake."""
        source = self.source
        if wrong:
            assert source.count(self.old) == 1, f"{self.name}: {self.old!r} stands there {source.count(self.old)} times"
            source = source.replace(self.old, self.new)
        module = ModuleType(f"style_{self.name}_{'wrong' if wrong else 'right'}")
        file = f"<{module.__name__}>"
        sys.modules[module.__name__] = module  # dataclasses look for it
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), module.__dict__)
        return getattr(module, self.target)


def styles() -> list[Style]:
    found = []
    for path in sorted(HERE.glob("*.py")):
        head, *blocks = re.split(r"^# %% ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for block in blocks:
            line, body = block.split("\n", 1)
            what, mistake = line.split(" | ")
            (name, target), rule = what.split()[0].split(":"), what.split()[1]
            old, new = mistake.split(" => ")
            found.append(Style(name, target, rule, old, new, head + body))
    return found


STYLES = styles()
#: JAX code that takes its time, and mistakes that are searched for long.
SLOW = {"module_functions", "init_and_update", "compiled_function", "three_functions", "one_variable", "state_by_parameter"}
SLOW |= {"number_first", "hyperparams_and_states", "closure"}


def cases() -> list[Any]:
    return [pytest.param(s, id=s.name, marks=[pytest.mark.slow] * (s.name in SLOW)) for s in STYLES]


def checked(style: Style, *, wrong: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(style.made(wrong=wrong), style.rule)


@pytest.mark.parametrize("style", cases())
def test_right(style: Style) -> None:
    report = checked(style, wrong=False)
    assert report.verdict in ("right", "dialect"), str(report)
    assert not report.mistakes


@pytest.mark.parametrize("style", cases())
def test_wrong(style: Style) -> None:
    report = checked(style, wrong=True)
    assert report.verdict == "wrong", str(report)
    assert report.mistakes


def test_there_are_fifty_seven() -> None:
    assert len({s.name for s in STYLES}) == len(STYLES) == 57
    assert {s.name for s in STYLES} >= SLOW


def test_the_way_is_told() -> None:
    driven = {
        s.name: checked(s, wrong=False).driven for s in STYLES if s.name in ("built_first", "registered_first", "layer_adam")
    }
    assert driven["built_first"] == "NumPy class.step(p, g), a list of arrays, build() first"
    assert driven["registered_first"] == "NumPy class.step(g), a dict of arrays, register() first"
    assert "a layer with weights, biases and their gradients" in driven["layer_adam"]


class Trusting:
    """Asks for what no optimizer here is given."""

    def __init__(self, lr: float = 0.1) -> None:
        self.lr = lr

    def step(self, params: Any, grads: Any, curvature: Any) -> Any:
        return [p - self.lr * curvature(p) @ g for p, g in zip(params, grads, strict=True)]


class Unrelated:
    def process(self, thing: Any) -> Any:
        return thing


def test_what_cannot_be_driven_is_told_what_was_tried() -> None:
    report = check(Trusting, "sgd")
    assert report.verdict == "could_not_run"
    assert "tried as NumPy class.step(p, g, state), a list of arrays and in" in report.message
    assert "wrap it as step(params, grads, state) that returns (params, state)" in report.message
    report = check(Unrelated, "sgd")
    assert report.verdict == "could_not_run"
    assert "nothing in it takes parameters and gradients: wrap it as step(params, grads, state)" in report.message


def misspelt(p: Any, g: Any, lr: float = 0.1) -> Any:
    return p - lr * gg  # type: ignore[name-defined]  # noqa: F821


def test_a_misspelt_name_is_not_searched_around() -> None:
    report = check(misspelt, "sgd")
    assert report.verdict == "could_not_run"
    assert "NameError: name 'gg' is not defined" in report.message
    assert "tried" not in report.message


def unknown(p: Any, g: Any, zeta: float) -> Any:
    return p - zeta * g


def test_an_unknown_hyperparameter_is_no_state_and_no_key() -> None:
    report = check(unknown, "sgd")
    assert report.verdict == "could_not_run"
    assert "--map zeta=lr" in report.message
    assert check(unknown, "sgd", mapping={"zeta": "lr"}).verdict == "right"


class Climbing:
    """Moves in the attribute that holds its parameters, and the wrong way."""

    def __init__(self, theta: Any, lr: float = 0.1) -> None:
        self.theta, self.lr = theta, lr

    def step(self, grad: Any) -> None:
        self.theta = self.theta + self.lr * grad


def test_parameters_that_are_kept_inside_are_read_there() -> None:
    report = check(Climbing, "sgd")
    assert [m.name for m in report.mistakes] == ["the step has the wrong sign"]


class Lowering:
    """A rate that is lowered by each step, and a weight decay of the same name."""

    def __init__(self, lr: float = 0.1, decay: float = 0.0) -> None:
        self.lr, self.decay, self.t = lr, decay, 0

    def step(self, w: Any, g: Any) -> Any:
        self.t += 1
        return w - self.lr / (1 + self.decay * (self.t - 1)) * g


class Decaying(Lowering):
    def step(self, w: Any, g: Any) -> Any:
        return w - self.lr * (g + self.decay * w)


def test_a_decay_of_the_rate_is_no_decay_of_weights() -> None:
    assert "decay" not in check(Lowering, "sgd").mapping
    assert check(Lowering, "sgd").verdict == "right"
    assert "decay → weight_decay" in check(Decaying, "sgd").mapping
    assert check(Decaying, "sgd").verdict == "right"
