"""Traces to files and back; files that appear whole or not at all; junk refused in one sentence."""

from __future__ import annotations

import copy
import csv
import errno
import io
import json
import math
import os
import pathlib
import pickle
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import descend as ds
from descend.trace import Column, Outcome, Trace, column, strict_json, write_atomically

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.sampled_from(["loss", "grad_norm", "lr", "val_loss", "näme", "a b"])
tmp = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


@st.composite
def columns(draw: Any, values: Any = FLOATS) -> dict[str, Column]:
    made = {}
    for name in draw(st.lists(NAMES, unique=True, max_size=4)):
        n = draw(st.integers(0, 5))
        steps = sorted(draw(st.lists(st.integers(0, 10**12), min_size=n, max_size=n, unique=True)))
        made[name] = column(steps, draw(st.lists(values, min_size=n, max_size=n)))
    return made


def arrays(values: Any) -> Any:
    return hnp.arrays(
        np.float64, hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3), elements=values
    ) | hnp.arrays(
        np.float32,
        hnp.array_shapes(max_dims=2, max_side=3),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )


def trees(values: Any) -> Any:
    keys = st.sampled_from(["w", "b", "deep", "ß"])
    return st.recursive(
        arrays(values) | st.none(),
        lambda node: st.lists(node, max_size=3) | st.dictionaries(keys, node, max_size=3) | st.tuples(node, node),
        max_leaves=5,
    )


def same(a: Any, b: Any) -> bool:
    """Equal in structure, shape, type and every bit of value, NaN included."""
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if a is None:
        return b is None
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=True)


def same_columns(a: dict[str, Column], b: dict[str, Column]) -> bool:
    return list(a) == list(b) and all(
        np.array_equal(a[k].step, b[k].step) and np.array_equal(a[k].value, b[k].value, equal_nan=True) for k in a
    )


@tmp
@given(made=columns(), point=trees(FLOATS), state=trees(FLOATS), outcome=st.booleans())
def test_npz_keeps_every_bit(tmp_path: Any, made: dict[str, Column], point: Any, state: Any, outcome: bool) -> None:
    trace = Trace(made, Outcome("stalled", "So.") if outcome else None, {"seed": 3, "inf": 1.5}, ("x",), point, state, "s", "n")
    back = Trace.load(trace.save(tmp_path / "t.npz"))
    assert same_columns(trace.columns, back.columns)
    assert same(trace.point, back.point)
    assert same(trace.state, back.state)
    assert (back.outcome, back.config, back.variables, back.source, back.name) == (
        trace.outcome,
        trace.config,
        ("x",),
        "s",
        "n",
    )


@tmp
@given(made=columns(FINITE), point=trees(FINITE), state=trees(FINITE))
def test_json_keeps_every_finite_bit(tmp_path: Any, made: dict[str, Column], point: Any, state: Any) -> None:
    back = Trace.load(Trace(made, point=point, state=state).save(tmp_path / "t.json"))
    assert same_columns(made, back.columns)
    assert same(point, back.point)
    assert same(state, back.state)


@tmp
@given(made=columns(st.sampled_from([math.nan, math.inf, -math.inf, 1.5])))
def test_in_json_what_is_not_finite_is_null_and_reads_as_nan(tmp_path: Any, made: dict[str, Column]) -> None:
    path = Trace(made).save(tmp_path / "t.json")
    words = path.read_text(encoding="utf-8")
    assert "NaN" not in words
    assert "Infinity" not in words
    back = Trace.load(path)
    for name, c in made.items():
        assert np.array_equal(back.columns[name].value, np.where(np.isfinite(c.value), c.value, np.nan), equal_nan=True)


@tmp
@given(made=columns())
def test_csv_tells_every_value_where_it_was_recorded(made: dict[str, Column]) -> None:
    header, *rows = list(csv.reader(io.StringIO(Trace(made).to_csv())))
    assert header == ["step", *made]
    steps = sorted({int(s) for c in made.values() for s in c.step})
    assert [int(row[0]) for row in rows] == steps
    for i, c in enumerate(made.values(), 1):
        told = {int(row[0]): float(row[i]) for row in rows if row[i] != ""}
        assert list(told) == c.step.tolist()
        assert np.array_equal(list(told.values()), c.value, equal_nan=True)


def test_csv_of_points_has_a_column_per_coordinate_and_none_is_lost_to_a_name() -> None:
    trace = ds.descend("(lr - 3)^2 + loss^2 + z^2", [0, 1, 2], ds.sgd(lr=0.1), steps=2)
    header, *rows = list(csv.reader(io.StringIO(trace.to_csv())))
    assert header == ["step", "loss", "grad_norm", "update_norm", "lr", "point.loss", "point.lr", "z"]
    assert [float(row[6]) for row in rows] == trace.points[:, 1].tolist()
    assert [row[4] for row in rows] == ["", "0.1", "0.1"]


def test_a_descent_keeps_its_bits_through_npz_and_json(tmp_path: Any) -> None:
    trace = ds.descend("x^2 + 3y^2", [4, 3], ds.adam(lr=0.1), steps=20)
    for ending in ("npz", "json"):
        back = Trace.load(trace.save(tmp_path / f"t.{ending}"))
        assert same_columns(trace.columns, back.columns)
        assert np.array_equal(trace.point, back.point)
        assert back.outcome == trace.outcome
        assert back.config == trace.config


@pytest.mark.parametrize("ending", ["npz", "json"])
def test_half_precision_comes_back_as_it_was(tmp_path: Any, ending: str) -> None:
    import jax.numpy as jnp

    trace = ds.descend(lambda p: jnp.sum(p**2), jnp.array([1.0, 2.0], jnp.bfloat16), ds.adam(lr=0.1), steps=5)
    back = Trace.load(trace.save(tmp_path / f"t.{ending}"))
    assert str(back.point.dtype) == "bfloat16"
    assert np.array_equal(back.point.astype(np.float32), np.asarray(trace.point).astype(np.float32))


@pytest.mark.parametrize("name", ["t.txt", "t", "t.npz.gz"])
def test_other_endings_are_refused(tmp_path: Any, name: str) -> None:
    with pytest.raises(ds.DescendError, match=r"saved as \.npz, \.json or \.csv"):
        Trace({}).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_strict_json_refuses_nothing_that_numpy_makes() -> None:
    made = {"a": np.float64("nan"), "b": np.arange(3), "c": (np.int64(2), [math.inf]), 3: np.bool_(True)}
    assert json.loads(strict_json(made)) == {"a": None, "b": [0, 1, 2], "c": [2, [None]], "3": True}


# -- whole or not at all ---------------------------------------------------------------------------------------------------


def full_disk(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("ending", ["npz", "json", "csv"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Any, monkeypatch: Any, ending: str) -> None:
    trace = ds.descend("x^2", [4], ds.sgd(lr=0.1), steps=3)
    target = tmp_path / f"t.{ending}"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(ds.DescendError, match=r"could not write '.*t\.\w+': No space left on device$"):
        trace.save(target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_a_real_limit_on_file_size_is_said_in_one_sentence(tmp_path: Any) -> None:
    """The kernel refuses the bytes: the command exits with 2 and leaves nothing."""
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import jax, numpy\n"
        "from descend.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "main(sys.argv[1:])\n"
    )
    for ending in ("npz", "json", "csv"):
        words = ["run", "x^2+y^2", "--start", "4,3", "--lr", "0.01", "--steps", "500", "--trace", f"t.{ending}"]
        done = subprocess.run([sys.executable, "-c", script, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2, done.stderr
        assert done.stderr == f"descend: could not write 't.{ending}': File too large\n"
        assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_writer_leaves_nothing(tmp_path: Any) -> None:
    def half(file: Any) -> None:
        file.write(b"half")
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        write_atomically(tmp_path / "t", half)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_and_a_folder_in_the_way(tmp_path: Any) -> None:
    with pytest.raises(ds.DescendError, match=r"could not write .*No such file or directory"):
        Trace({}).save(tmp_path / "gone" / "t.json")
    (tmp_path / "t.json").mkdir()
    with pytest.raises(ds.DescendError, match=r"could not write .*directory"):
        Trace({}).save(tmp_path / "t.json")
    assert [p.name for p in tmp_path.iterdir()] == ["t.json"]


def test_an_unwritable_folder(tmp_path: Any, monkeypatch: Any) -> None:
    """Simulated where the tests run as root, who may write everywhere."""
    import tempfile

    def denied(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "mkstemp", denied)
    with pytest.raises(ds.DescendError, match=r"could not write .*: Permission denied$"):
        Trace({}).save(tmp_path / "t.json")
    assert list(tmp_path.iterdir()) == []


def test_permissions_are_those_of_any_new_file(tmp_path: Any) -> None:
    (tmp_path / "plain").write_text("")
    Trace({}).save(tmp_path / "t.json")
    assert (tmp_path / "t.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


# -- junk ------------------------------------------------------------------------------------------------------------------

JUNK: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello",
    "binary": bytes(range(256)) * 20,
    "zip": b"PK\x03\x04" + b"\x00" * 40,
    "list": b"[1, 2]",
    "number": b"3",
    "other": b'{"columns": {}}',
    "deep": b"[" * 100_000,
    "wrong": b'{"columns": {"loss": {"step": [0], "value": ["a"]}}, "leaves": [], "structure": null}',
    "lengths": b'{"columns": {"loss": {"step": [0], "value": [1, 2]}}, "leaves": [], "structure": null}',
}


@pytest.mark.parametrize("ending", ["npz", "json", "csv"])
@pytest.mark.parametrize("name", JUNK)
def test_junk_is_refused_in_one_sentence(tmp_path: Any, name: str, ending: str) -> None:
    path = tmp_path / f"{name}.{ending}"
    path.write_bytes(JUNK[name])
    with pytest.raises(ds.DescendError, match="is not a trace saved by descend") as caught:
        Trace.load(path)
    assert str(path) in str(caught.value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.floats(0, 0.99), flips=st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), max_size=3), end=st.booleans()
)
def test_a_damaged_file_is_read_or_refused(tmp_path: Any, cut: float, flips: Any, end: bool) -> None:
    path = pathlib.Path(tmp_path / ("d.npz" if end else "d.json"))
    Trace({"loss": column(range(3), [1.0, 2.0, 3.0])}, point=np.ones(2)).save(path)
    data = bytearray(path.read_bytes())
    for place, change in flips:
        data[int(place * len(data))] ^= change
    path.write_bytes(bytes(data[: int(len(data) * (1 - cut))]) if not flips else bytes(data))
    refused = ""
    try:
        Trace.load(path)
    except ds.DescendError as error:
        refused = str(error)
    assert not refused or "is not a trace saved by descend" in refused


def test_a_missing_file() -> None:
    with pytest.raises(ds.DescendError, match=r"there is no file 'nowhere\.npz'"):
        Trace.load("nowhere.npz")


# -- the noun itself -------------------------------------------------------------------------------------------------------


def test_columns_of_unequal_length_and_unknown_names() -> None:
    with pytest.raises(ds.DescendError, match="has 1 values and 2 steps"):
        column([0, 1], [1.0])
    with pytest.raises(KeyError, match="no column 'loss'; it has lr"):
        Trace({"lr": column([1], [0.1])})["loss"]


def test_an_empty_trace_and_a_trace_without_a_finite_loss() -> None:
    assert Trace({}).steps == 0
    assert Trace({}).sign_changes() == {}
    assert math.isnan(Trace({"loss": column([0, 1], [math.nan, math.inf])}).best)
    assert repr(Trace({})) == "Trace(unjudged after 0 steps)"


@given(st.lists(st.sampled_from([-1.5, -0.0, 0.0, 2.0, math.nan]), max_size=12))
def test_sign_changes_skip_zeros(path: list[float]) -> None:
    trace = Trace({"point": column(range(len(path)), np.array(path).reshape(-1, 1))}, variables=("x",))
    signs = [v > 0 for v in path if v != 0 and v == v]
    assert trace.sign_changes() == {"x": sum(a != b for a, b in pairwise(signs))}


def test_what_is_left_for_later_is_worked_out_once_and_kept() -> None:
    made: list[str] = []

    def columns() -> dict[str, Column]:
        made.append("columns")
        return {"loss": column([0, 1], [2.0, 1.0])}

    def outcome() -> Outcome:
        made.append("outcome")
        return Outcome("converged", "Converged.")

    rest = {"point": lambda: None, "state": lambda: None, "source": str, "notes": tuple}
    look = {"columns": columns, "outcome": outcome, **rest}
    trace = Trace.later(lambda field: look[field](), name="later", config={"seed": 0})
    assert (made, trace.name, trace.config) == ([], "later", {"seed": 0})
    assert trace.loss.tolist() == [2.0, 1.0]
    assert (trace.outcome, trace.outcome, trace.steps) == (("converged", "Converged."), ("converged", "Converged."), 1)
    assert made == ["columns", "outcome"]
    assert (trace.point, trace.state, trace.source, trace.notes) == (None, None, "", ())
    with pytest.raises(AttributeError, match="no attribute 'columms'"):
        _ = trace.columms


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t)), lambda t: t.replace()])
def test_a_copy_of_a_trace_is_whole(copied: Any) -> None:
    trace = ds.descend("x^2 + 3y^2", [4, 3], ds.adam(lr=0.1), steps=5)
    again = copied(trace)
    whole = ds.descend("x^2 + 3y^2", [4, 3], ds.adam(lr=0.1), steps=5)
    assert again.outcome == whole.outcome
    assert list(again.columns) == list(whole.columns)
    np.testing.assert_array_equal(again.points, whole.points)
    np.testing.assert_array_equal(again.state["slots"][0]["m"], whole.state["slots"][0]["m"])


def test_an_outcome_is_that_of_the_descent_whatever_became_of_the_trace() -> None:
    trace = ds.descend("x^2", [4.0], ds.sgd(lr=1.5), steps=9)
    trace.config, trace.point, trace.variables = {}, None, ()
    assert trace.outcome is not None
    assert trace.outcome.kind == "diverged"


@pytest.mark.parametrize("value", [1.0, math.nan])
def test_keys_of_any_kind_are_written_alike_beside_any_value(value: float) -> None:
    told = json.loads(strict_json({np.int64(3): value, True: 2, None: 3, "a": [np.float32(value)]}))
    plain = None if math.isnan(value) else value
    assert told == {"3": plain, "true": 2, "null": 3, "a": [plain]}
