"""Optimizers written by somebody who had not seen the catalogue: 10 right, 62 with one mistake, 8 with two.

The checker was improved on the even numbers alone; the odd ones were kept back and measured once, and are tuned on since. Both
numbers stand in docs/decisions.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from outside import Case, Outside, number, stem

OUTSIDE = Outside(Path(__file__).parent)
#: What the sealed reading of the odd numbers passed (two options together, another library's form) and did not name.
PASSED_THEN = {1, 71}
NOT_NAMED_THEN = {13, 17, 23, 25, 57, 67, 77}


#: The default suite has every fifth, without the slowest.
SAMPLE = {
    number(c)
    for c in OUTSIDE.cases
    if number(c) % 5 == 0 and c["reference"] not in ("adafactor", "prodigy", "muon") and c["style"] != "optax"
}


@pytest.mark.parametrize("case", OUTSIDE.params(SAMPLE))
def test_outside(case: Case) -> None:
    OUTSIDE.verify(case)


def test_the_numbers_that_are_told() -> None:
    wrong = [number(c) for c in OUTSIDE.cases if not c["right"]]
    odd = [n for n in wrong if n % 2]
    assert (len(OUTSIDE.cases), len(wrong), len(odd)) == (80, 70, 36)
    assert len([n for n in odd if n not in PASSED_THEN]) == 34
    assert len([n for n in odd if n not in PASSED_THEN | NOT_NAMED_THEN]) == 27
    assert set(OUTSIDE.named) == {stem(c) for c in OUTSIDE.caught()}
