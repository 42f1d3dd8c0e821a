"""50 optimizers of a seventh outside author, read once before anything was fixed on them: 42 wrong, some with two mistakes.

`sealed.json` is that first reading, by the number of the case; `named.json` is what is named now. docs/decisions.md tells both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from outside import Case, Outside

OUTSIDE = Outside(Path(__file__).parent, optional=True)
#: What the first reading missed, and one of each style, in the default suite.
SAMPLE = {17, 23, 26, 31, 34, 37, 39, 41}


@pytest.mark.parametrize("case", OUTSIDE.params(SAMPLE))
def test_outside7(case: Case) -> None:
    OUTSIDE.verify(case)


def test_the_numbers_that_are_told() -> None:
    OUTSIDE.verify_reading(cases=50, wrong=42, caught=41, named_first=37, caught_now=42)
