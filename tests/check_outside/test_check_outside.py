"""Optimizers written by somebody who had not seen the catalogue: 10 right, 62 with one mistake, 8 with two.

The checker was improved on the even numbers alone; the odd ones were kept back and measured once, and are tuned on since. Both
numbers stand in docs/decisions.md.
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
#: What the sealed reading of the odd numbers passed (two options together, another library's form) and did not name.
PASSED_THEN = {1, 71}
NOT_NAMED_THEN = {13, 17, 23, 25, 57, 67, 77}


def number(case: dict[str, Any]) -> int:
    return int(Path(case["file"]).name[:2])


def checked(case: dict[str, Any]) -> Report:
    path = HERE / case["file"]
    spec = importlib.util.spec_from_file_location(f"outside_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(getattr(made, case["object"]), case["reference"])


#: What is named in each case, by the quantity the equation defines; judged by hand against index.json.
NAMED: dict[str, list[str]] = json.loads((HERE / "named.json").read_text(encoding="utf-8"))


def one(case: dict[str, Any]) -> Any:
    slow = number(case) % 5 != 0 or case["reference"] in ("adafactor", "prodigy", "muon") or case["style"] == "optax"
    return pytest.param(case, marks=[pytest.mark.slow] if slow else [], id=Path(case["file"]).stem)


@pytest.mark.parametrize("case", [one(c) for c in CASES])
def test_outside(case: dict[str, Any]) -> None:
    report = checked(case)
    if case["right"]:
        assert report.verdict in ("right", "dialect"), str(report)
        assert not report.mistakes
    else:
        assert report.verdict == "wrong", str(report)
        assert sorted({m.equation for m in report.mistakes}) == NAMED[Path(case["file"]).stem], str(report)


def test_the_numbers_that_are_told() -> None:
    wrong = [number(c) for c in CASES if not c["right"]]
    odd = [n for n in wrong if n % 2]
    assert (len(CASES), len(wrong), len(odd)) == (80, 70, 36)
    assert len([n for n in odd if n not in PASSED_THEN]) == 34
    assert len([n for n in odd if n not in PASSED_THEN | NOT_NAMED_THEN]) == 27
    assert set(NAMED) == {Path(c["file"]).stem for c in CASES if not c["right"]}


def write_record() -> None:
    """Renew `named.json`: look at what changes, and judge it by hand."""
    found = {Path(c["file"]).stem: sorted({m.equation for m in checked(c).mistakes}) for c in CASES if not c["right"]}
    (HERE / "named.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_record()
