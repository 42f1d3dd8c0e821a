"""50 optimizers of a third outside author, read once before anything was fixed on them: 42 wrong, some with two mistakes.

`sealed.json` is that first reading, by the number of the case; `named.json` is what is named now. docs/decisions.md tells both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from outside import Case, Outside

OUTSIDE = Outside(Path(__file__).parent, optional=True)
#: One of each style, in the default suite.
SAMPLE = {1, 4, 7, 13, 20, 29, 33, 45}


@pytest.mark.parametrize("case", OUTSIDE.params(SAMPLE))
def test_outside3(case: Case) -> None:
    OUTSIDE.verify(case)


def test_the_numbers_that_are_told() -> None:
    OUTSIDE.verify_reading(cases=50, wrong=42, caught=40, named_first=30, caught_now=42, unnamed={21})
