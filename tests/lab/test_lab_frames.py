"""Frames: what is packed comes out the same, and lies where the page's typed arrays can read it in place."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from descend.lab.frames import Frame, pack, unpack

TYPES = st.sampled_from([np.float32, np.float64, np.int32, np.uint8])
ARRAYS = TYPES.flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)))
NAMES = st.text(st.characters(codec="utf-8"), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES.filter(lambda n: n != "arrays"), PLAIN, max_size=4), st.dictionaries(NAMES, ARRAYS, max_size=4))
def test_there_and_back(data, arrays):
    message = pack(Frame(data, arrays))
    back = unpack(message)
    assert back.data == data
    assert list(back.arrays) == list(arrays)
    for name, array in arrays.items():
        assert back.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(back.arrays[name], array)
    (length,) = struct.unpack_from("<I", message)
    assert (4 + length) % 8 == 0
    assert len(message) % 8 == 0
    places = json.loads(message[4 : 4 + length])["arrays"]
    assert all(offset % 8 == 0 for _, _, offset in places.values())


def test_what_is_not_finite_is_null_in_the_text_and_itself_in_arrays():
    back = unpack(pack(Frame({"x": float("nan"), "y": [float("inf")]}, {"a": np.array([np.nan, np.inf])})))
    assert back.data == {"x": None, "y": [None]}
    np.testing.assert_array_equal(back.arrays["a"], [np.nan, np.inf])


@pytest.mark.parametrize("array", [np.arange(3), np.array(["a"]), np.array([1j]), np.array([None])])
def test_only_what_a_page_can_read_is_packed(array):
    with pytest.raises(TypeError, match="a frame carries float32"):
        pack(Frame({}, {"x": array}))


def test_arrays_that_are_not_contiguous():
    grid = np.arange(12, dtype=np.float64).reshape(3, 4)
    np.testing.assert_array_equal(unpack(pack(Frame({}, {"x": grid.T[::2]}))).arrays["x"], grid.T[::2])
