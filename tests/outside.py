"""What the sets of optimizers by outside authors share: how a case is loaded and checked, and what a reading must give."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from descend.check import Report, check

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported; its own default is tensorflow

Case = dict[str, Any]


def number(case: Case) -> int:
    return int(Path(case["file"]).name[:2])


def stem(case: Case) -> str:
    return Path(case["file"]).stem


def told(report: Report) -> list[str]:
    """What is named: the same for the record and for the test."""
    return sorted({m.equation for m in report.mistakes})


class Outside:
    """The cases of one folder. `passed` are wrong and called right; `optional`: skipped where their library is missing.

    `disputed` are right by their author's word and are told something that holds all the same: by case, of which equations.
    """

    def __init__(
        self,
        here: Path,
        passed: set[int] | frozenset[int] = frozenset(),
        *,
        optional: bool = False,
        disputed: Mapping[int, list[str]] = MappingProxyType({}),
    ) -> None:
        self.here, self.passed, self.optional, self.disputed = here, passed, optional, disputed
        self.cases: list[Case] = self.read("index")
        #: What is named in each case that is caught, by the quantity the equation defines; judged by hand against index.json.
        self.named: dict[str, list[str]] = self.read("named")

    def read(self, name: str) -> Any:
        return json.loads((self.here / f"{name}.json").read_text(encoding="utf-8"))

    def params(self, sample: set[int]) -> list[Any]:
        """Every case; those outside the sample are slow."""
        return [pytest.param(c, marks=[] if number(c) in sample else [pytest.mark.slow], id=stem(c)) for c in self.cases]

    def caught(self) -> list[Case]:
        """The wrong cases that are called wrong."""
        return [c for c in self.cases if not c["right"] and number(c) not in self.passed]

    def checked(self, case: Case) -> Report:
        path = self.here / case["file"]
        spec = importlib.util.spec_from_file_location(f"{self.here.name}_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        made = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = made
        try:
            spec.loader.exec_module(made)
        except ModuleNotFoundError as error:
            if not self.optional:
                raise
            pytest.skip(str(error))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return check(getattr(made, case["object"]), case["reference"])

    def verify(self, case: Case) -> None:
        """A right case is called right, a wrong one wrong, and what is named is what the record says."""
        report = self.checked(case)
        if number(case) in self.disputed:
            assert told(report) == self.disputed[number(case)], str(report)
        elif case["right"] or number(case) in self.passed:
            assert report.verdict in ("right", "dialect"), str(report)
            assert not report.mistakes
        else:
            assert report.verdict == "wrong", str(report)
            assert told(report) == self.named[stem(case)], str(report)

    def verify_reading(
        self, *, cases: int, wrong: int, caught: int, named_first: int, caught_now: int, unnamed: Collection[int] = ()
    ) -> None:
        """The numbers that docs/decisions.md tells of the first reading, and of today.

        `unnamed` are those caught of which the record does not hold the right equations, or more than these.
        """
        sealed: dict[str, list[int]] = self.read("sealed")
        faulty = {number(c) for c in self.cases if not c["right"]}
        found = {n for key, numbers in sealed.items() if key.startswith("caught") for n in numbers}
        assert (len(self.cases), len(faulty)) == (cases, wrong)
        assert sorted(n for numbers in sealed.values() for n in numbers) == list(range(1, cases + 1))
        assert len(found & faulty) == caught
        assert len(sealed["caught_and_named_first"]) == named_first
        assert set(self.named) == {stem(c) for c in self.caught()}
        assert len(self.named) == caught_now
        assert {n for n in unnamed if n in {number(c) for c in self.caught()}} == set(unnamed)

    def write_record(self) -> None:
        """Renew `named.json`: look at what changes, and judge it by hand."""
        found = {stem(c): told(self.checked(c)) for c in self.caught()}
        (self.here / "named.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":  # python tests/outside.py check_outside4 [numbers called right …]
    Outside(Path(__file__).parent / sys.argv[1], set(map(int, sys.argv[2:]))).write_record()
