"""50 optimizers of a fourth outside author, read once before anything was fixed on them: 42 wrong, some with two mistakes.

`sealed.json` is that first reading, by the number of the case; `named.json` is what is named now. docs/decisions.md tells both.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from descend.check import Report, check

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported; its own default is tensorflow
HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = json.loads((HERE / "index.json").read_text(encoding="utf-8"))
SEALED: dict[str, list[int]] = json.loads((HERE / "sealed.json").read_text(encoding="utf-8"))
#: What is named in each case that is caught, by the quantity the equation defines; judged by hand against index.json.
NAMED: dict[str, list[str]] = json.loads((HERE / "named.json").read_text(encoding="utf-8"))
#: Wrong, and called right: none any more.
PASSED: set[int] = set()
#: One of each style, in the default suite.
SAMPLE = {7, 11, 20, 25, 26, 34, 38, 45, 50}


def number(case: dict[str, Any]) -> int:
    return int(Path(case["file"]).name[:2])


def checked(case: dict[str, Any]) -> Report:
    path = HERE / case["file"]
    spec = importlib.util.spec_from_file_location(f"outside4_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    try:
        spec.loader.exec_module(made)
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(getattr(made, case["object"]), case["reference"])


def told(report: Report) -> list[str]:
    """What is named: the same for the record and for the test."""
    return sorted({m.equation for m in report.mistakes})


def one(case: dict[str, Any]) -> Any:
    return pytest.param(case, marks=[] if number(case) in SAMPLE else [pytest.mark.slow], id=Path(case["file"]).stem)


@pytest.mark.parametrize("case", [one(c) for c in CASES])
def test_outside4(case: dict[str, Any]) -> None:
    report = checked(case)
    if case["right"] or number(case) in PASSED:
        assert report.verdict in ("right", "dialect"), str(report)
        assert not report.mistakes
    else:
        assert report.verdict == "wrong", str(report)
        assert told(report) == NAMED[Path(case["file"]).stem], str(report)


def test_the_numbers_that_are_told() -> None:
    wrong = {number(c) for c in CASES if not c["right"]}
    caught = {n for key, cases in SEALED.items() if key.startswith("caught") for n in cases}
    assert (len(CASES), len(wrong)) == (50, 42)
    assert sorted(n for cases in SEALED.values() for n in cases) == list(range(1, 51))
    assert len(caught & wrong) == 40
    assert len(SEALED["caught_and_named_first"]) == 31
    assert set(NAMED) == {Path(c["file"]).stem for c in CASES if not c["right"] and number(c) not in PASSED}
    assert len(NAMED) == 42


def write_record() -> None:
    """Renew `named.json`: look at what changes, and judge it by hand."""
    found = {Path(c["file"]).stem: told(checked(c)) for c in CASES if not c["right"] and number(c) not in PASSED}
    (HERE / "named.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_record()
