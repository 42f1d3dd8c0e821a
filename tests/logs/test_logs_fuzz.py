"""Whatever bytes a file holds: traces or one sentence, never another exception, never a hang."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from descend import logs
from descend.errors import DescendError
from descend.trace import Trace

FIXTURES = Path(__file__).parent / "fixtures"
SEEDS = sorted(
    path
    for path in FIXTURES.rglob("*")
    if path.is_file() and path.suffix not in (".yaml", ".parquet") and path.name not in ("VERSIONS", "params.json")
)
CONTENT = {path: path.read_bytes() for path in SEEDS}
PROFILE = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def read(name: str, data: bytes) -> list[Trace]:
    """Traces, or none where the file is refused in one sentence; anything else fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            traces = logs.read(path)
        except DescendError as error:
            refusal = str(error)
        else:
            refusal = ""
    if refusal:
        assert len(refusal.splitlines()) == 1
        return []
    for trace in traces:
        json.dumps(trace.config)  # plain values only
        for column in trace.columns.values():
            assert column.step.dtype == np.int64
            assert column.value.dtype == np.float64
            assert column.step.shape == column.value.shape[:1]
            assert (np.diff(column.step) > 0).all()
    return traces


@PROFILE
@given(st.sampled_from(SEEDS), st.floats(0, 1))
def test_truncation(path: Path, part: float) -> None:
    read(path.name, CONTENT[path][: int(part * len(CONTENT[path]))])


@PROFILE
@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=9)
)
def test_flipped_bytes(path: Path, flips: list[tuple[float, int]]) -> None:
    data = bytearray(CONTENT[path])
    for place, byte in flips:
        data[int(place * len(data))] = byte
    read(path.name, bytes(data))


@PROFILE
@given(st.sampled_from(SEEDS), st.sampled_from(SEEDS), st.floats(0, 1), st.floats(0, 1))
def test_halves_of_two_logs(first: Path, second: Path, a: float, b: float) -> None:
    read(first.name, CONTENT[first][: int(a * len(CONTENT[first]))] + CONTENT[second][int(b * len(CONTENT[second])) :])


@PROFILE
@given(
    st.sampled_from(
        [
            b"",
            b"{",
            b"[",
            b":W&B\xe1\xbe\x00",
            b"SQLite format 3\x00",
            b"PK\x03\x04",
            b"\x1f\x8b\x08",
            b"step,loss\n",
            b"\xff\xfe",
        ]
    ),
    st.binary(max_size=300),
    st.sampled_from(["a.csv", "a.json", "a.jsonl", "a.log", "a", "events.out.tfevents.1", "a.wandb", "metrics.csv", "a.gz"]),
)
def test_junk(start: bytes, junk: bytes, name: str) -> None:
    read(name, start + junk)


PIECES = """
    step epoch loss val lr iter acc Epoch : = , ; | / [ ] ( ) { } ' " - x loss: nan inf -1 0 3 1e9 1e400 2.5 100% 1,000 1/3
"""
WORDS = st.sampled_from([*PIECES.split(), "\t", "\r", "\x1b[1m", "\x08"])


@PROFILE
@given(st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=12).map("\n".join))
def test_almost_text_logs(text: str) -> None:
    read("train.log", text.encode())
    read("train.csv", text.replace(" ", "").encode())


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["NaN", "1e5", "-Infinity"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["loss", "step", "epoch", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["loss", "step", "epoch", "lr", "val_loss", "log_history", "history", "columns", "structure", "config", "_step"]
)
KEYS |= st.sampled_from(
    ["training_iteration", "trial_id", "op_code", "worker_id", "study_id", "_runtime", "run", "train_runtime"]
)


@PROFILE
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=5), st.sampled_from(["lines", "list", "state", "one"]))
def test_almost_json_logs(records: list[dict[str, object]], shape: str) -> None:
    text = {
        "lines": "\n".join(json.dumps(r) for r in records),
        "list": json.dumps(records),
        "state": json.dumps({"log_history": records}, indent=1),
        "one": json.dumps(records[0] if records else None),
    }[shape]
    read("a.json", text.encode())


@PROFILE
@given(st.lists(st.tuples(st.integers(-(2**40), 2**40), st.floats(width=64)), min_size=2, max_size=40))
def test_every_finite_step_and_value_survives_a_table(rows: list[tuple[int, float]]) -> None:
    text = "step,loss\n" + "".join(f"{s},{v!r}\n" for s, v in rows)
    (trace,) = read("a.csv", text.encode())
    if len({s for s, _ in rows}) == len(rows) and [s for s, _ in rows] == sorted(s for s, _ in rows):
        np.testing.assert_array_equal(trace.step, [s for s, _ in rows])
        np.testing.assert_array_equal(trace.loss, [v for _, v in rows])
    last = dict(rows)  # of a step logged again the last value counts, if its branch was kept
    for step, value in zip(trace.step.tolist(), trace.loss.tolist(), strict=True):
        if trace.config["roles"].get("step") == "step":
            np.testing.assert_equal(value, last[step])
