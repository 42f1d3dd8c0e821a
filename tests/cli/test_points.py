"""Points as people type them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.cli.points import parse_point
from descend.errors import DescendError


@pytest.mark.parametrize(
    ("text", "variables", "point"),
    [
        ("4,3", ("x", "y"), [4, 3]),
        ("-1, 2", ("x", "y"), [-1, 2]),
        ("−1;2", ("x", "y"), [-1, 2]),
        ("1 2  3", (), [1, 2, 3]),
        ("(4, 3)", ("x", "y"), [4, 3]),
        ("[1e-3]", ("x",), [1e-3]),
        ("y=3,x=4", ("x", "y"), [4, 3]),
        ("x = 4, y = -3", ("x", "y"), [4, -3]),
        ("x10=1,x2=2", ("x2", "x10"), [2, 1]),
    ],
)
def test_reads(text, variables, point):
    found = parse_point(text, variables)
    assert found.dtype == np.float64
    assert found.tolist() == point


@pytest.mark.parametrize(
    ("text", "variables", "sentence"),
    [
        ("", ("x", "y"), r"has no coordinates: write one number per variable \(x, y\)"),
        ("4", ("x", "y"), r"the point '4' has 1 coordinate; 2 are needed \(x, y\)"),
        ("4,3,2", ("x",), r"has 3 coordinates; 1 is needed \(x\)"),
        ("4,a", ("x", "y"), "'a' in the point '4,a' is not a number"),
        ("nan,1", ("x", "y"), "'nan' .* is not a finite number"),
        ("inf,1", ("x", "y"), "not a finite number"),
        ("1e999", ("x",), "not a finite number"),
        ("x=1,2", ("x", "y"), "mixes named and unnamed"),
        ("x=1,z=2", ("x", "y"), r"names 'z', which is not a variable here \(x, y\)"),
        ("x=1,x=2", ("x", "y"), "gives x twice"),
        ("x=1", ("x", "y"), "does not give y"),
        ("x=", ("x",), "'' in the point 'x=' is not a number"),
        ("x=1", (), "names coordinates, but this objective's have no names"),
    ],
)
def test_refuses(text, variables, sentence):
    with pytest.raises(DescendError, match=sentence):
        parse_point(text, variables)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_any_numbers_come_back_exactly(values):
    assert parse_point(",".join(map(repr, values))).tolist() == values


@given(st.text(max_size=30))
def test_junk_is_refused_in_one_sentence(text):
    try:
        point = parse_point(text, ("x", "y"))
    except DescendError:
        return
    assert point.shape == (2,)
    assert np.all(np.isfinite(point))
