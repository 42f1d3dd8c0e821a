"""44 optimizers of a second outside author, read once before anything was fixed on them: 36 with one mistake, 4 with two.

`sealed.json` is that first reading, by the number of the case; `named.json` is what is named now. docs/decisions.md tells both.
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from descend.check import Report, check

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = json.loads((HERE / "index.json").read_text(encoding="utf-8"))
SEALED: dict[str, list[int]] = json.loads((HERE / "sealed.json").read_text(encoding="utf-8"))
#: What is named in each case that is caught, by the quantity the equation defines; judged by hand against index.json.
NAMED: dict[str, list[str]] = json.loads((HERE / "named.json").read_text(encoding="utf-8"))
#: A decay outside the velocity, which is the paper's decoupled one; two forms of Keras; TensorFlow 1's first mean square.
PASSED = {7, 12, 15}
#: One of each style, in the default suite.
SAMPLE = {1, 5, 8, 14, 22, 23, 29, 30, 38}


def number(case: dict[str, Any]) -> int:
    return int(Path(case["file"]).name[:2])


def checked(case: dict[str, Any]) -> Report:
    path = HERE / case["file"]
    spec = importlib.util.spec_from_file_location(f"outside2_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(getattr(made, case["object"]), case["reference"])


def told(report: Report) -> list[str]:
    """What is named: the same for the record and for the test."""
    return sorted({m.equation for m in report.mistakes})


def one(case: dict[str, Any]) -> Any:
    return pytest.param(case, marks=[] if number(case) in SAMPLE else [pytest.mark.slow], id=Path(case["file"]).stem)


@pytest.mark.parametrize("case", [one(c) for c in CASES])
def test_outside2(case: dict[str, Any]) -> None:
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
    assert (len(CASES), len(wrong)) == (44, 40)
    assert sorted(n for cases in SEALED.values() for n in cases) == list(range(1, 45))
    assert len(caught & wrong) == 35
    assert len(SEALED["caught_and_named_first"]) == 28
    assert set(NAMED) == {Path(c["file"]).stem for c in CASES if not c["right"] and number(c) not in PASSED}
    assert len(NAMED) == 37


def write_record() -> None:
    """Renew `named.json`: look at what changes, and judge it by hand."""
    found = {Path(c["file"]).stem: told(checked(c)) for c in CASES if not c["right"] and number(c) not in PASSED}
    (HERE / "named.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_record()
