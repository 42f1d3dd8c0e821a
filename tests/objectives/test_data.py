"""Tables from text, and what is chosen from them: every way a file can be written, and every way it can be wrong."""

from __future__ import annotations

import csv
import gzip
import io
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descend.errors import DescendError
from descend.objectives.data import (
    DEMOS,
    Dataset,
    choose,
    curve_demo,
    dataset,
    demo_named,
    five_demo,
    line_demo,
    read_table,
    table_of,
)

PLAIN = "x,z,y\n1,10,2.5\n2,20,-4e1\n3,35,6\n"
ROWS = [[1, 10, 2.5], [2, 20, -40], [3, 35, 6]]


def read(text: str | bytes, **options):
    return read_table(io.BytesIO(text.encode() if isinstance(text, str) else text), **options)


def values(table):
    return np.column_stack([c.values for c in table.columns])


# -- the ways a table is written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_endings(delimiter, ending):
    table = read(PLAIN.replace(",", delimiter).replace("\n", ending))
    assert table.names == ("x", "z", "y")
    assert table.delimiter == delimiter
    assert values(table).tolist() == ROWS


@pytest.mark.parametrize(
    "encode",
    [
        lambda s: s.encode("utf-8-sig"),
        lambda s: s.encode("utf-16"),
        lambda s: gzip.compress(s.encode()),
        lambda s: s.rstrip("\n").encode(),
        lambda s: ("\n\n" + s + "\n \n").encode(),
        lambda s: ("# made by hand\n" + s).encode(),
        lambda s: s.replace("x,z,y", '"x", "z" ,y').replace("20", '"20"').encode(),
        lambda s: s.replace(",", ",  ").encode(),
    ],
    ids=["bom", "utf-16", "gzip", "no last newline", "blank lines", "comment", "quotes", "padded"],
)
def test_the_same_table_in_other_clothes(encode):
    table = read(encode(PLAIN))
    assert [name.strip() for name in table.names] == ["x", "z", "y"]
    assert values(table).tolist() == ROWS


def test_columns_aligned_with_spaces():
    table = read("   x    y\n  1.5   2\n 10   -3\n")
    assert table.names == ("x", "y")
    assert values(table).tolist() == [[1.5, 2], [10, -3]]


def test_latin_letters_without_an_encoding():
    table = read("größe,y\n1,2\n3,4\n".encode("cp1252"))
    assert table.names == ("größe", "y")


def test_without_a_header_columns_are_numbered_and_found_by_number():
    table = read("1,2\n3,4\n5,9\n")
    assert table.names == ("column1", "column2")
    assert table.rows == 3
    assert table.column("2").values.tolist() == [2, 4, 9]
    data = choose(table, "2")
    assert (data.features, data.target) == (("column1",), "column2")
    assert data.notes == ("there is no header: columns are numbered",)


def test_headers_with_numbers_and_of_words_only():
    assert read("x,1990,1991\n5,1,2\n6,3,4\n").names == ("x", "1990", "1991")
    assert read("name,y\nA,1\nB,2\n").names == ("name", "y")
    assert read("a,b\nx,y\nz,w\n").header


def test_the_header_numpy_writes(tmp_path):
    path = tmp_path / "n.csv"
    np.savetxt(path, np.array(ROWS), delimiter=",", header="x,z,y")
    table = read_table(path)
    assert table.names == ("x", "z", "y")
    assert values(table).tolist() == ROWS


def test_row_names_as_r_writes_them_and_delimiters_at_line_ends():
    table = read("x,y\nfirst,1,2\nsecond,3,4\n")
    assert table.names == ("column1", "x", "y")
    assert table.columns[0].words == 2
    table = read("x,y\n1,2,\n3,4,\n")
    assert table.names == ("x", "y")
    assert values(table).tolist() == [[1, 2], [3, 4]]


def test_a_quoted_cell_over_lines_and_with_delimiters():
    table = read('note,x,y\n"one, two\nthree ""four""",1,2\nplain,3,4\n')
    assert table.column("x").values.tolist() == [1, 3]
    assert table.column("note").sample.startswith("one, two")


@pytest.mark.parametrize("text", ["x;y\n1,5;2\n2,25;3,75\n", 'x,y\n"1,5",2\n"2,25","3,75"\n', "x\ty\n1,5\t2\n2,25\t3,75\n"])
def test_a_decimal_comma_that_can_be_nothing_else(text):
    table = read(text)
    assert values(table).tolist() == [[1.5, 2], [2.25, 3.75]]
    assert "decimal comma" in table.notes[0]


def test_commas_that_may_be_thousands_are_asked_about():
    text = "x;y\n1,500;2\n2,250;3\n"
    with pytest.raises(DescendError, match=r"'1,500', which may mean a fraction or thousands"):
        read(text)
    assert read(text, decimal=",").column("x").values.tolist() == [1.5, 2.25]
    assert read(text, decimal=".").column("x").values.tolist() == [1500, 2250]


def test_thousands_beside_a_decimal_point():
    assert read('x,y\n"1,234.5",2.5\n"12,345.25",3\n').column("x").values.tolist() == [1234.5, 12345.25]


def test_a_point_beside_a_decimal_comma_is_no_number():
    table = read("x;y\n1,5;2\n1.234;3,5\n", decimal=",")
    assert table.column("x").words == 1
    assert table.column("x").sample == "1.234"


@pytest.mark.parametrize("absent", ["", "NA", "nan", "NaN", "null", "None", "N/A", "#N/A", "?", "-", " ", "NULL"])
def test_missing_cells_are_counted_and_their_rows_dropped(absent):
    table = read(f"x,z,y\n1,10,2\n2,{absent},4\n3,35,6\n4,41,9\n")
    assert table.column("z").missing == 1
    data = choose(table, "y")
    assert data.X.tolist() == [[1, 10], [3, 35], [4, 41]]
    assert (data.rows, data.rows_read) == (3, 4)
    assert data.notes == ("1 row was dropped for a missing cell (in z)",)
    assert choose(table, "y", ["x"]).rows == 4, "a missing cell in a column that is not used costs nothing"


def test_infinite_values_are_dropped_and_counted_apart():
    data = choose(read("x,y\n1,2\ninf,4\n3,1e999\n4,NA\n5,11\n"), "y")
    assert data.y.tolist() == [2, 11]
    assert data.notes == (
        "1 row was dropped for a missing cell (in y)",
        "2 rows were dropped for a value that is not finite (in x, y)",
    )


def test_columns_that_cannot_be_used_are_left_out_and_said():
    data = choose(read("id,city,x,e,c,y\n1,Rome,5,,7,2\n2,Oslo,6,,7,4\n3,Rome,9,,7,5\n"), "y")
    assert data.features == ("id", "x")
    assert data.notes == (
        "column 'city' is left out: it holds words, such as 'Rome'",
        "column 'e' is left out: it is empty",
        "column 'c' is left out: it is 7 in every row",
    )


# -- the ways a table is wrong --------------------------------------------------------------------------------------------

BAD_FILES = {
    "empty": (b"", "is empty"),
    "blank": (b"\n  \n\n", "holds no table"),
    "only comments": (b"# a\n# b\n", "holds no table"),
    "header only": (b"x,y\n", "no rows"),
    "binary": (bytes(range(256)) * 10, "binary"),
    "nul": (b"x,y\n1,\x002\n", "binary"),
    "picture": (b"\x89PNG\r\n\x1a\n" + b"0" * 50, "a picture"),
    "spreadsheet": (b"PK\x03\x04" + b"0" * 50, "spreadsheet"),
    "cut gzip": (gzip.compress(PLAIN.encode() * 100)[:-20], "damaged"),
    "not gzip": (b"\x1f\x8bnothing of the kind", "damaged"),
    "ragged": (b"x,y\n1,2\n3\n4,5\n", "line 3 of the data has 1 cell where 2 are expected"),
    "too long": (b"x,y\n1,2\n3,4\n4,5,6\n", "line 4 of the data has 3 cells where 2 are expected"),
    "twice": (b"x,y,x\n1,2,3\n", "names 'x' 2 times in its header (columns 1, 3)"),
    "open quote": (b'x,y\n1,2\n"3,4\n5,6\n' + b"7,8\n" * 40000, "never closed"),
    "broken utf-16": (b"\xff\xfex", "not readable as text"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_is_no_table(kind):
    content, words = BAD_FILES[kind]
    with pytest.raises(DescendError) as caught:
        read(content)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


BAD_CHOICES = {
    "missing target": (
        "x,Size,y\n1,2,3\n2,3,5\n",
        "size",
        None,
        "no column 'size' for the target: its columns are x, Size, y; did",
    ),
    "far target": ("x,y\n1,2\n3,4\n", "price", None, "its columns are x, y"),
    "missing feature": ("x,y\n1,2\n3,4\n", "y", ["xx"], "no column 'xx' for the feature"),
    "words in target": ("x,y\n1,a\n3,b\n", "y", None, "column 'y' of the data is not numeric: line 2 has 'a'"),
    "words in feature": ("x,z,y\n1,a,2\n3,b,3\n", "y", ["z"], "column 'z' of the data is not numeric: line 2 has 'a'"),
    "one word": (
        "x,z,y\n1,5,2\n3,6o,3\n5,7,9\n",
        "y",
        None,
        "line 3 has '6o'; correct it, or choose features without it: --features x",
    ),
    "no number": ("x,y\na,2\nb,3\n", "y", None, "no column left to predict 'y' from: column 'x' is left out: it holds words"),
    "empty target": ("x,y\n1,\n3,NA\n", "y", None, "the target 'y' of the data is empty"),
    "empty feature": ("x,z,y\n1,,3\n3,,2\n", "y", ["z"], "the feature 'z' of the data is empty"),
    "only empty": ("x,y\n,1\n,2\n", "y", None, "it is empty"),
    "constant target": ("x,y\n1,3\n2,3\n", "y", None, "the target 'y' is 3 in every row"),
    "constant feature": ("x,z,y\n5,1,3\n5,2,2\n", "y", ["x"], "'x' is 5 in every row: it cannot be told from the intercept"),
    "only constant": ("x,y\n5,1\n5,2\n", "y", None, "no column left"),
    "one row": ("x,y\n1,3\n", "y", None, "1 row of numbers; a fit needs at least 2"),
    "one row kept": ("x,y\n1,3\n2,\n", "y", None, "1 row of numbers after dropping: 1 row was dropped"),
    "no row kept": ("x,y\n1,\n,3\n", "y", None, "no row of the data is complete"),
    "target as feature": ("x,y\n1,2\n3,4\n", "y", ["y"], "both the target and a feature"),
    "feature twice": ("x,y\n1,2\n3,4\n", "y", ["x", "x"], "given twice"),
    "one column": ("y\n1\n2\n", "y", None, "no column left to predict 'y' from"),
}


@pytest.mark.parametrize("kind", BAD_CHOICES)
def test_a_choice_that_cannot_work(kind):
    text, target, features, words = BAD_CHOICES[kind]
    with pytest.raises(DescendError) as caught:
        choose(read(text), target, features)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_are_no_files(tmp_path):
    for path, words in ((tmp_path / "no.csv", "no file"), (tmp_path, "folder"), ("a\0b", "could not open")):
        with pytest.raises(DescendError, match=words):
            read_table(path)


def test_a_table_too_big_is_refused_whole(monkeypatch):
    monkeypatch.setattr("descend.objectives.tables.MOST_CELLS", 5)
    with pytest.raises(DescendError, match="more than 5 numbers"):
        read(PLAIN)


def test_an_open_file_stays_open():
    file = io.BytesIO(PLAIN.encode())
    read_table(file)
    assert not file.closed


# -- large and arbitrary tables -------------------------------------------------------------------------------------------


def test_a_hundred_thousand_rows(tmp_path):
    rows = np.random.default_rng(0).standard_normal((100_000, 3)).round(6)
    path = tmp_path / "big.csv.gz"
    with gzip.open(path, "wt") as file:
        np.savetxt(file, rows, delimiter=",", fmt="%.6f", header="a,b,y", comments="")
    table = read_table(path)
    assert np.array_equal(values(table), rows)


def test_missing_cells_and_words_far_into_a_long_file():
    lines = [f"{i},{i * 2},w{i % 3}" for i in range(120_000)]
    lines[90_000] = ",5,w0"
    lines[100_000] = "oops,5,w0"
    table = read("x,y,name\n" + "\n".join(lines) + "\n")
    x = table.column("x")
    assert (x.missing, x.words, x.sample, x.line) == (1, 1, "oops", 100_002)
    assert table.column("name").words == 120_000
    assert np.isnan(x.values[90_000])
    assert x.values[119_999] == 119_999


CELL = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=64).map(repr),
    st.integers(-(10**9), 10**9).map(str),
    st.just(""),
    st.text(alphabet="abc,;\"'| é\n", min_size=1, max_size=6).map(lambda s: "w" + s),
)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n + 1, max_size=n + 1), min_size=3, max_size=12)))
def test_what_csv_writes_is_read_back(rows):
    """Against Python's csv module and float, cell by cell, with the delimiter stated and a header of words."""
    rows = [[f"{i}.5", *row] for i, row in enumerate(rows)]  # a first column without gaps: no row is blank
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([f"name{i}" for i in range(len(rows[0]))])
    writer.writerows(rows)
    table = read(out.getvalue(), delimiter=",", decimal=".")
    for column, cells in zip(table.columns, zip(*rows, strict=True), strict=True):
        for value, cell in zip(column.values, cells, strict=True):
            try:
                expected = float(cell)
            except ValueError:
                expected = np.nan
            assert value == expected or (np.isnan(value) and np.isnan(expected))
        assert column.missing == sum(not cell.strip() for cell in cells)
        assert column.words == sum(cell.startswith("w") for cell in cells)


# -- arrays and mappings --------------------------------------------------------------------------------------------------


def test_arrays_mappings_and_frames_become_data():
    assert dataset([1, 2, 3], [2, 4, 7]).X.shape == (3, 1)
    assert dataset(np.eye(3), [[1], [2], [4]]).features == ("x1", "x2", "x3")
    data = dataset({"x": [1, None, 3, 4], "y": [1, 2, 3, 5], "s": ["a", "b", "c", "d"]}, "y")
    assert data.X.tolist() == [[1], [3], [4]]
    assert len(data.notes) == 2
    assert dataset(data) is data
    with pytest.raises(DescendError, match="one length"):
        table_of({"a": [1], "b": [1, 2]})


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        ([1, 2, 3], [1, 2], "equally many rows"),
        (np.zeros((2, 2, 2)), [1, 2], "equally many rows"),
        ([1, np.nan, 3], [1, 2, 3], "X must be finite; row 1 is not"),
        ([1, 2, 3], [1, 2, np.inf], "y must be finite; row 2 is not"),
        (["a", "b"], [1, 2], "must be numbers"),
        ([1, 2], None, "give the target values"),
        ([1], [2], "at least 2"),
        ([1, 1], [2, 3], "every row"),
    ],
)
def test_arrays_that_cannot_be_fitted(X, y, words):
    with pytest.raises(DescendError, match=words):
        dataset(X, y)


# -- demonstrations -------------------------------------------------------------------------------------------------------


def test_the_line_is_drawn_by_pythons_generator():
    random.seed(0)
    x = [random.uniform(-5, 5) for _ in range(100)]
    y = [2 * a + 3 + random.gauss(0, 0.3) for a in x]
    data = line_demo()
    assert data.X[:, 0].tolist() == x
    assert data.y.tolist() == y
    assert curve_demo().X.tolist() == data.X.tolist()
    noise = data.y - 2 * data.X[:, 0] - 3
    assert np.allclose(curve_demo().y, 2 * data.X[:, 0] ** 2 + 3 + noise, atol=1e-12, rtol=0)


def test_making_a_demo_leaves_pythons_generator_alone():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    line_demo()
    assert random.random() == expected


def test_the_registry_of_demos():
    assert five_demo().y.tolist() == [2, 4, 6, 8, 10]
    for name, demo in DEMOS.items():
        assert demo_named(name) is demo
        assert isinstance(demo.make(), Dataset)
    with pytest.raises(DescendError, match="there are line, curve, five"):
        demo_named("lines")
