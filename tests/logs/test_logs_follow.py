"""Logs that grow, rotate, shrink and appear while they are followed."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from descend import logs

FIXTURES = Path(__file__).parent / "fixtures"
GROWING = ["tensorboard/torch", "wandb/run-known.wandb", "wandb/wandb-history.jsonl", "tables/pandas.csv", "keras/lines.txt"]
GROWING += [
    "optuna/journal.log",
    "ray/exp/trial_0/result.json",
    "transformers/train-True.log",
    "lightning/version_0/metrics.csv",
]


@pytest.mark.parametrize("name", GROWING)
def test_a_log_followed_piece_by_piece_ends_as_read_at_once(name: str, tmp_path: Path) -> None:
    source = FIXTURES / name
    source = next(source.iterdir()) if source.is_dir() else source
    data = source.read_bytes()
    target = tmp_path / source.name
    target.write_bytes(b"")
    follower = logs.Follower(target)
    latest: dict[str, logs.Trace] = {}
    for start in range(0, len(data), max(len(data) // 23, 1)):
        with target.open("ab") as file:
            file.write(data[start : start + max(len(data) // 23, 1)])
        latest |= {trace.name: trace for trace in follower.poll()}
    whole = {trace.name: trace for trace in logs.read(source)}
    assert latest.keys() == whole.keys()
    for key, trace in whole.items():
        for column in trace.columns if name != "keras/lines.txt" else ():
            np.testing.assert_array_equal(latest[key].columns[column].value, trace.columns[column].value)
            np.testing.assert_array_equal(latest[key].columns[column].step, trace.columns[column].step)


def test_nothing_new_yields_nothing_and_half_a_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("step,loss\n0,3\n1,2")
    follower = logs.Follower(path)
    assert follower.poll()[0].loss.tolist() == [3]
    assert follower.poll() == []
    with path.open("a") as file:
        file.write(".5\n")
    assert follower.poll()[0].loss.tolist() == [3, 2.5]


def test_rotation_joins_the_old_and_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("step,loss\n0,3\n1,2\n")
    follower = logs.Follower(path)
    follower.poll()
    path.rename(tmp_path / "a.csv.1")
    path.write_text("step,loss\n2,1\n")
    assert follower.poll()[0].loss.tolist() == [3, 2, 1]


def test_truncation_starts_again_and_keeps_the_later_branch(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("step,loss\n0,3\n1,2\n2,1\n")
    follower = logs.Follower(path)
    follower.poll()
    path.write_text("step,loss\n0,9\n")
    (trace,) = follower.poll()
    assert trace.loss.tolist() == [9]


def test_a_folder_in_which_runs_appear(tmp_path: Path) -> None:
    follower = logs.Follower(tmp_path)
    assert follower.poll() == []
    (tmp_path / "a.csv").write_text("step,loss\n0,3\n")
    assert [t.name for t in follower.poll()] == ["a.csv"]
    shutil.copytree(FIXTURES / "tensorboard/subruns", tmp_path / "tb")
    (trace,) = follower.poll()
    assert (trace.name, len(trace["val_loss"])) == ("tb", 40)
    shutil.copytree(FIXTURES / "mlflow/mlruns", tmp_path / "mlruns")
    assert sorted(t.name for t in follower.poll()) == ["one", "two"]
    assert follower.poll() == []


def test_a_database_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_name TEXT, step INTEGER, metrics TEXT)")
        writer.execute("INSERT INTO metrics (run_name, step, metrics) VALUES ('r', 0, '{\"loss\": 2.5}')")
        writer.commit()
        follower = logs.Follower(path)
        assert follower.poll()[0].loss.tolist() == [2.5]
        assert follower.poll() == []
        writer.execute("INSERT INTO metrics (run_name, step, metrics) VALUES ('r', 1, '{\"loss\": 1.5}')")
        writer.commit()
        assert follower.poll()[0].loss.tolist() == [2.5, 1.5]
    writer.close()


def test_follow_waits_for_a_log_that_does_not_exist_yet(tmp_path: Path) -> None:
    path, naps = tmp_path / "a.csv", 0

    def sleep(seconds: float) -> None:
        nonlocal naps
        naps += 1
        if naps == 2:
            path.write_text("step,loss\n0,3\n")

    seen = list(logs.follow(path, stop=lambda: naps >= 4, sleep=sleep))
    assert [len(traces) for traces in seen] == [0, 0, 1, 0]


def test_a_half_written_document_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    text = (FIXTURES / "transformers/trainer_state.json").read_text()
    path.write_text(text[:500])
    follower = logs.Follower(path)
    assert follower.poll() == []
    path.write_text(text)
    assert len(follower.poll()[0].loss) == 40


def test_a_gzip_file_is_read_once_however_often_it_is_looked_at(tmp_path: Path) -> None:
    """It unpacks to more bytes than it has: that is no sign of having shrunk."""
    target = tmp_path / "run.csv.gz"
    packed = gzip.compress(("step,loss\n" + "".join(f"{k},{1 + k % 3}\n" for k in range(500))).encode())
    target.write_bytes(packed[: len(packed) // 2])
    follower = logs.Follower(target)
    (half,) = follower.poll()
    assert 20 < len(half.loss) < 500
    assert follower.poll() == []
    target.write_bytes(packed)
    (whole,) = follower.poll()
    assert len(whole.loss) == 500
    assert whole.notes == ()
    assert follower.poll() == []
