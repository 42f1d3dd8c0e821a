"""50 optimizers of an eighth outside author, read once before anything was fixed on them: 42 wrong, some with two mistakes.

`sealed.json` is that first reading, by the number of the case; `named.json` is what is named now. docs/decisions.md tells both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from outside import Case, Outside

#: AdamW as Algorithm 2 of its paper has it, whose decay is not multiplied by lr: everybody's AdamW multiplies it.
OUTSIDE = Outside(Path(__file__).parent, optional=True, disputed={4: ["p"]})
#: What the first reading missed, and one of each style, in the default suite.
SAMPLE = {4, 14, 22, 23, 34, 44, 46, 48, 50}


@pytest.mark.parametrize("case", OUTSIDE.params(SAMPLE))
def test_outside8(case: Case) -> None:
    OUTSIDE.verify(case)


def test_the_numbers_that_are_told() -> None:
    OUTSIDE.verify_reading(cases=50, wrong=42, caught=42, named_first=37, caught_now=42, unnamed={14, 23, 44})
