"""Fifty ways to write an optimizer: each is driven and called right, and wrong once a mistake is planted in it."""

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


def checked(style: Style, *, wrong: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(style.made(wrong=wrong), style.rule)


@pytest.mark.parametrize("style", STYLES, ids=lambda s: s.name)
def test_right(style: Style) -> None:
    report = checked(style, wrong=False)
    assert report.verdict in ("right", "dialect"), str(report)
    assert not report.mistakes


@pytest.mark.parametrize("style", STYLES, ids=lambda s: s.name)
def test_wrong(style: Style) -> None:
    report = checked(style, wrong=True)
    assert report.verdict == "wrong", str(report)
    assert report.mistakes


def test_there_are_fifty() -> None:
    assert len({s.name for s in STYLES}) == len(STYLES) >= 50
