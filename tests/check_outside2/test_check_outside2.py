"""44 optimizers of a second outside author, read once before anything was fixed on them: 36 with one mistake, 4 with two.

`sealed.json` is that first reading, by the number of the case; `named.json` is what is named now. docs/decisions.md tells both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from outside import Case, Outside

#: A decay outside the velocity, which is the paper's decoupled one; two forms of Keras; TensorFlow 1's first mean square.
OUTSIDE = Outside(Path(__file__).parent, {7, 12, 15})
#: One of each style, in the default suite.
SAMPLE = {1, 5, 8, 14, 22, 23, 29, 30, 38}


@pytest.mark.parametrize("case", OUTSIDE.params(SAMPLE))
def test_outside2(case: Case) -> None:
    OUTSIDE.verify(case)


def test_the_numbers_that_are_told() -> None:
    OUTSIDE.verify_reading(cases=44, wrong=40, caught=35, named_first=28, caught_now=37)
