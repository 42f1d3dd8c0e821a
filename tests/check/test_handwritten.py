"""Mistakes in other styles, written by hand: PyTorch classes, NumPy in place, functions with state."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from descend.check import check

HERE = Path(__file__).parent / "handwritten"


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


MODULES = [module(name) for name in ("torch_style", "numpy_style", "functional_style")]
CASES = [(getattr(m, name), rule, targets) for m in MODULES for name, (rule, targets) in m.CASES.items()]
#: Those made of two mistakes, or in no catalogue.
SEVERAL = {"two_mistakes", "two_other_mistakes"}
OUTSIDE = {"adam_odd_power", "adam_odd_momentum"}


def test_there_are_sixty() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(("target", "rule", "targets"), CASES, ids=lambda x: getattr(x, "__name__", "") if callable(x) else "")
def test_caught_and_the_right_equation_named(target: Any, rule: str, targets: set[str]) -> None:
    report = check(target, rule)
    assert report.verdict == "wrong"
    named = {m.equation for m in report.mistakes}
    if target.__name__ in SEVERAL:
        assert named == targets
    else:
        assert len(named) == 1
        assert named <= targets
    if target.__name__ not in OUTSIDE:
        assert all(m.fix and m.yours and m.consequence for m in report.mistakes)
    assert report.rows, "no values are shown for the step where the paths part"
    assert any(r.difference != 0 for r in report.rows)  # also where it is not a number
