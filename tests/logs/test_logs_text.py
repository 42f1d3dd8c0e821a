"""Lines of one template are read by a shortcut: it must see exactly the numbers that the slow way sees."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from descend.logs import read
from descend.logs.text import _NUMBER, _quick

WORDS = [
    "",
    " ",
    "-",
    "+",
    ".",
    ",",
    ", ",
    ":",
    "e",
    "E-",
    " -",
    "a-",
    "a",
    "_",
    "%",
    "/",
    " loss ",
    "nan",
    ",5",
    "x7 ",
    ". ",
    "@",
]
NUMBERS = [
    "5",
    "12",
    "-5",
    "+3",
    "0.5",
    "1.",
    ".5",
    "1e5",
    "1E-5",
    "-2.5e+10",
    "1,234",
    "500",
    "nan",
    "inf",
    "-inf",
    "007",
    "3e",
]


@settings(max_examples=300)
@given(
    words=st.lists(st.lists(st.sampled_from(WORDS), max_size=3).map("".join), min_size=2, max_size=5),
    numbers=st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)), min_size=4, max_size=4),
)
def test_the_shortcut_sees_what_the_slow_way_sees(words, numbers):
    first, second = ("".join(w + n[i] for w, n in zip(words, [*numbers, ("", "")], strict=False)) for i in (0, 1))
    parts = tuple(_NUMBER.split(first)[::2])
    match = _quick(parts)(second) if len(parts) > 1 else None
    if match:
        pieces = _NUMBER.split(second)
        assert tuple(pieces[::2]) == parts
        assert tuple(pieces[1::2]) == match.groups()


def test_the_shortcut_is_taken_on_common_lines():
    for line in ("step 3: loss 0.5, lr 1e-3", "2024-01-02 12:00:01 | step 7 | loss 2.1", "{'loss': 0.5, 'epoch': 1.0}"):
        assert _quick(tuple(_NUMBER.split(line)[::2]))(line)


def test_interleaved_templates_keep_their_order(tmp_path):
    lines = [f"step {i}: loss {i / 8}" if i % 3 else f"iter {i} | loss {i / 8} | val loss {i / 4}" for i in range(60)]
    path = tmp_path / "train.log"
    path.write_text("\n".join(lines) + "\n")
    (trace,) = read(path)
    assert trace["loss"].tolist() == [i / 8 for i in range(60)]
    assert trace.columns["loss"].step.tolist() == list(range(60))
    assert trace["val_loss"].tolist() == [i / 4 for i in range(0, 60, 3)]
