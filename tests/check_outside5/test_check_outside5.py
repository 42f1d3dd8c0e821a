"""50 optimizers of a fifth outside author, read once before anything was fixed on them: 42 wrong, some with two mistakes.

`sealed.json` is that first reading, by the number of the case; `named.json` is what is named now. docs/decisions.md tells both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from outside import Case, Outside

OUTSIDE = Outside(Path(__file__).parent, optional=True)
#: What the first reading missed, and one of each style, in the default suite.
SAMPLE = {2, 13, 19, 25, 35, 39, 42, 47, 50}


@pytest.mark.parametrize("case", OUTSIDE.params(SAMPLE))
def test_outside5(case: Case) -> None:
    OUTSIDE.verify(case)


def test_the_numbers_that_are_told() -> None:
    OUTSIDE.verify_reading(cases=50, wrong=42, caught=42, named_first=34, caught_now=42)
