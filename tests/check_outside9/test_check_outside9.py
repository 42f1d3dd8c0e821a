"""50 optimizers of a ninth outside author, read once before anything was fixed on them: 42 wrong, some with two mistakes.

`sealed.json` is that first reading, by the number of the case; `named.json` is what is named now. docs/decisions.md tells both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from outside import Case, Outside

#: An Adan whose count of steps is not in its state: its equations are right, and a run that is loaded goes on otherwise.
OUTSIDE = Outside(Path(__file__).parent, optional=True, disputed={33: ["save and load"]})
#: What the first reading missed, and one of each style, in the default suite.
SAMPLE = {1, 11, 16, 28, 33, 40, 45, 49}


@pytest.mark.parametrize("case", OUTSIDE.params(SAMPLE))
def test_outside9(case: Case) -> None:
    OUTSIDE.verify(case)


def test_the_numbers_that_are_told() -> None:
    OUTSIDE.verify_reading(cases=50, wrong=42, caught=42, named_first=41, caught_now=42)
