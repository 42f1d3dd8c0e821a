"""Each reader against the numbers that the real writer was given; see make_fixtures.py and known_values.py."""

from __future__ import annotations

import importlib.util
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import known_values as known
import numpy as np
import pytest

from descend import logs
from descend.errors import DescendError
from descend.trace import Trace, column

FIXTURES = Path(__file__).parent / "fixtures"
SINGLE = 1e-6  # event files hold 32-bit numbers


def expected(f: Callable[[int], float], steps: range | list[int] = range(known.STEPS)) -> tuple[np.ndarray, np.ndarray]:
    return np.array(steps), np.array([f(k) for k in steps])


def assert_column(trace: Trace, name: str, f: Callable[[int], float], steps: list[int] | None = None, rtol: float = 0) -> None:
    where, values = expected(f, range(known.STEPS) if steps is None else steps)
    np.testing.assert_array_equal(trace.columns[name].step, where)
    np.testing.assert_allclose(trace[name], values, rtol=rtol, atol=rtol)


def one(path: str, **options: object) -> Trace:
    (trace,) = logs.read(FIXTURES / path, **options)
    return trace


def by_name(path: str) -> dict[str, Trace]:
    return {trace.name: trace for trace in logs.read(FIXTURES / path)}


def test_tensorboard_scalars_with_nan_inf_and_negative_steps() -> None:
    trace = one("tensorboard/torch")
    assert_column(trace, "loss", known.loss, rtol=SINGLE)
    assert_column(trace, "lr", known.lr, rtol=SINGLE)
    assert_column(trace, "val_loss", known.val_loss, known.EVAL_STEPS, rtol=SINGLE)
    assert trace.columns["countdown"].step.tolist() == [-5, 0]
    assert trace.config["roles"] == {"step": "step", "loss": "train/loss", "val_loss": "val/loss", "lr": "lr"}
    assert "weights" not in trace
    assert not trace.notes


def test_tensorboard_reads_a_single_file_like_its_folder() -> None:
    (path,) = (FIXTURES / "tensorboard/torch").iterdir()
    (trace,) = logs.read(path)
    assert_column(trace, "loss", known.loss, rtol=SINGLE)


def test_tensorboardx_and_tensor_scalars() -> None:
    assert_column(one("tensorboard/x"), "loss", known.loss, rtol=SINGLE)
    trace = one("tensorboard/tensors")
    assert_column(trace, "loss", known.loss, rtol=SINGLE)
    assert_column(trace, "val_loss", known.val_loss, rtol=SINGLE)
    assert trace.config["resolution"] == "epoch"


def test_tensorboard_sub_run_folders_join_their_run() -> None:
    trace = one("tensorboard/subruns")
    assert_column(trace, "loss", known.loss, rtol=SINGLE)
    assert_column(trace, "val_loss", known.val_loss, rtol=SINGLE)
    assert trace.config["hyperparameters"] == known.HYPERPARAMETERS
    assert trace.config["lr"] == 0.1
    assert trace.config["summary"] == {"hparam/accuracy": 0.5}


def test_tensorboard_restart_in_a_second_file_keeps_the_later_branch() -> None:
    trace = one("tensorboard/restart")
    values = [known.finite_loss(k) + (20 if k >= 20 else 0) for k in range(known.STEPS)]
    np.testing.assert_allclose(trace.loss, values, rtol=1e-6)
    assert trace.notes == ("the step goes back from 24 to 20: the later branch is kept, 5 earlier points are not",)


def test_tensorboard_folder_of_runs() -> None:
    assert sorted(by_name("tensorboard")) == ["restart", "subruns", "tensors", "torch", "x"]


def test_wandb_offline() -> None:
    trace = one("wandb/run-known.wandb")
    assert trace.name == "known"
    assert_column(trace, "loss", known.loss)
    assert_column(trace, "lr", known.lr)
    assert_column(trace, "val_loss", known.val_loss, known.EVAL_STEPS)
    assert_column(trace, "nested/grad_norm", known.grad_norm)
    assert trace.config["hyperparameters"] == known.HYPERPARAMETERS


def test_wandb_history_summary_and_chart() -> None:
    assert_column(one("wandb/wandb-history.jsonl"), "loss", known.loss)
    summary = one("wandb/wandb-summary.json")
    assert summary.loss.tolist() == [known.loss(known.STEPS - 1)]
    assert summary.config["lossy"] == ["summary"]
    first, second = logs.read(FIXTURES / "wandb/wandb_export.csv")
    assert (first.name, second.name) == ("first", "second - x")
    assert_column(first, "loss", known.finite_loss)
    assert_column(second, "loss", lambda k: 2 * known.finite_loss(k), list(range(0, known.STEPS, 2)))
    assert "sampled" in first.config["lossy"]
    assert "1500" in first.notes[0]


def test_wandb_folder_is_its_run_alone() -> None:
    assert [trace.name for trace in logs.read(FIXTURES / "wandb")] == ["known"]


@pytest.mark.parametrize("store", ["mlflow/mlruns", "mlflow/mlflow.db"])
def test_mlflow(store: str) -> None:
    runs = by_name(store)
    assert sorted(runs) == ["one", "two"]
    trace = runs["one"]
    assert_column(trace, "loss", known.loss)  # the database keeps NaN as 0 with a flag and Inf as the largest float
    assert_column(trace, "val_loss", known.val_loss)
    assert trace.config["hyperparameters"] == known.HYPERPARAMETERS
    assert trace.config["experiment"] == "known"
    assert trace.columns["unstepped"].step.tolist() == [0, 1, 2, 3, 4]
    assert runs["two"].loss.tolist() == [1.25]


def test_trackio() -> None:
    trace = one("trackio/known.db")
    assert trace.name == "one"
    assert_column(trace, "loss", known.loss)
    assert_column(trace, "lr", known.lr)
    assert trace.config["hyperparameters"] == known.HYPERPARAMETERS


def test_hugging_face_state() -> None:
    trace = one("transformers/trainer_state.json")
    assert_column(trace, "loss", known.loss)
    assert_column(trace, "lr", known.lr)
    assert_column(trace, "grad_norm", known.grad_norm)
    assert_column(trace, "val_loss", known.val_loss, known.EVAL_STEPS)
    assert trace.config["summary"]["train_loss"] == 0.7  # a mean over the training, no point of the curve
    assert trace.config["nan_filtered"] is False
    assert trace.config["lossy"] == []  # every step was logged


def test_hugging_face_filter_hides_a_nan_and_is_said() -> None:
    hidden, shown = one("transformers/filter-True"), one("transformers/filter-False")
    assert hidden.config["nan_filtered"] is True
    assert np.isfinite(hidden.loss).all()
    assert np.isnan(hidden.grad_norm).any()
    assert shown.config["nan_filtered"] is False
    assert np.isnan(shown.loss).any()
    assert hidden.config["lossy"] == ["window_mean"]
    assert any("logging_nan_inf_filter" in note for note in hidden.notes)
    assert not any("logging_nan_inf_filter" in note for note in shown.notes)
    assert hidden.config["interval"] == 5.0
    assert Path(hidden.source).parts[-3:] == ("filter-True", "checkpoint-24", "trainer_state.json")  # the last checkpoint


@pytest.mark.parametrize("filtered", [True, False])
def test_hugging_face_printed_log_agrees_with_the_state(filtered: bool) -> None:
    printed = one(f"transformers/train-{filtered}.log")
    state = one(f"transformers/filter-{filtered}")
    np.testing.assert_allclose(printed.loss, state.loss, rtol=1e-3)
    np.testing.assert_allclose(printed.grad_norm, state.grad_norm, rtol=1e-3)
    np.testing.assert_allclose(printed["lr"], state["lr"], rtol=1e-3)
    assert printed.config["nan_filtered"] is filtered
    assert "window_mean" in printed.config["lossy"]


def test_lightning() -> None:
    trace = one("lightning/version_0/metrics.csv")
    assert trace.config["format"] == "lightning"
    assert_column(trace, "batch_loss", known.finite_loss, rtol=1e-6)
    assert_column(trace, "grad_norm", known.grad_norm, rtol=1e-6)
    ends = [9, 19, 29, 39]
    assert_column(trace, "val_loss", lambda k: known.val_loss(k + 1), ends, rtol=1e-6)
    means = {end: float(np.mean([known.finite_loss(k) for k in range(end - 9, end + 1)])) for end in ends}
    assert_column(trace, "loss", means.__getitem__, ends, rtol=1e-6)
    assert trace.config["resolution"] == "epoch"
    assert trace.config["hyperparameters"] == {"lr": 0.1, "batch_size": 4}


@pytest.mark.parametrize("name", ["progress.txt", "lines.txt"])
def test_keras_text_agrees_with_its_csv_logger(name: str) -> None:
    text, table = one(f"keras/{name}"), one(f"keras/{name}.csv")
    assert (text.config["format"], table.config["format"]) == ("keras text", "keras")
    assert len(text.loss) == 5
    for role in ("loss", "val_loss", "accuracy", "val_accuracy"):
        np.testing.assert_allclose(text[role], table[role], atol=6e-5)
    assert text.config["resolution"] == table.config["resolution"] == "epoch"


def test_keras_history() -> None:
    trace = one("keras/history.json")
    history = json.loads((FIXTURES / "keras/history.json").read_text())
    assert trace.loss.tolist() == history["loss"]
    assert trace["val_loss"].tolist() == history["val_loss"]
    assert trace.config["resolution"] == "epoch"


def test_ray_trials_are_read_once_each() -> None:
    first, second = logs.read(FIXTURES / "ray")
    iterations = list(range(1, known.STEPS + 1))
    for trace in (first, second):
        assert_column(trace, "loss", lambda i: known.loss(i - 1), iterations)
        assert_column(trace, "val_loss", lambda i: known.val_loss(i - 1), iterations)
    assert (first.config["lr"], second.config["lr"]) == (0.1, 0.2)


def test_ray_progress_csv() -> None:
    trace = one("ray/exp/trial_0/progress.csv")
    assert trace.config["format"] == "ray"
    assert_column(trace, "loss", lambda i: known.loss(i - 1), list(range(1, known.STEPS + 1)))


@pytest.mark.parametrize("name", ["optuna.db", "journal.log"])
def test_optuna(name: str) -> None:
    first, second = logs.read(FIXTURES / "optuna" / name)
    assert_column(first, "loss", known.loss)
    assert_column(second, "loss", lambda k: known.loss(k) + 10)
    assert first.config["lr"] == 0.1
    assert first.config["optimizer"] in ("sgd", "adam")


@pytest.mark.parametrize("name", ["pandas.csv", "pandas.jsonl"])
def test_pandas_leaves_nan_empty_and_that_is_said(name: str) -> None:
    trace = one(f"tables/{name}")
    assert_column(trace, "lr", known.lr, rtol=1e-9)
    assert known.NAN_STEP not in trace.columns["loss"].step
    assert trace.config["empty"]["first"] == known.NAN_STEP
    assert any("may have been NaN" in note for note in trace.notes)


def test_gzipped_csv_with_nan() -> None:
    assert_column(one("tables/pandas_na.csv.gz"), "loss", known.loss)


def test_neptune_long_csv() -> None:
    for trace in logs.read(FIXTURES / "tables/neptune.csv"):
        assert_column(trace, "lr", known.lr)
        assert trace.config["roles"]["loss"] == "metrics/train/loss"


def test_parquet() -> None:
    if importlib.util.find_spec("pyarrow") is None:
        with pytest.raises(DescendError, match="needs pyarrow: pip install pyarrow"):
            logs.read(FIXTURES / "tables/wide.parquet")
        pytest.skip("pyarrow is not installed")
    trace = one("tables/wide.parquet")
    assert_column(trace, "lr", known.lr)
    first, second = logs.read(FIXTURES / "tables/neptune.parquet")
    assert (first.name, second.name) == ("RUN-1", "RUN-2")
    assert_column(first, "lr", known.lr)


def test_descends_own_trace(tmp_path: Path) -> None:
    saved = Trace({"loss": column([0, 1, 2], [3.0, math.nan, math.inf])}, config={"optimizer": "adam"}, name="mine")
    for suffix in (".npz", ".json"):
        (trace,) = logs.read(saved.save(tmp_path / f"t{suffix}"))
        assert trace.config["optimizer"] == "adam"
        assert trace.config["format"] == "descend"
        assert trace.loss[0] == 3.0
        assert np.isnan(trace.loss[1])


def test_every_fixture_is_read_without_an_error() -> None:
    unread = []
    for path in FIXTURES.rglob("*"):
        if path.is_file() and path.suffix not in (".yaml", ".parquet") and path.name not in ("VERSIONS", "params.json"):
            try:
                assert logs.read(path)
            except DescendError as error:
                unread.append((path.relative_to(FIXTURES), str(error)))
    # MLflow's and add_scalars' single files are parts of a folder.
    assert [p for p, _ in unread if p.parts[0] != "mlflow" and "subruns" not in p.parts] == []


def test_registry_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/logs.md").read_text(encoding="utf-8")
    for format in logs.FORMATS:
        assert f"| {format.name} |" in page
    for role in logs.ROLES:
        assert re.search(rf"^\| `{role}` \|", page, re.MULTILINE), role


def test_a_small_csv_needs_no_heavy_import() -> None:
    heavy = ["jax", "pandas", "matplotlib", "torch", "scipy", "sympy", "sqlite3", "tensorboard", "wandb", "mlflow", "pyarrow"]
    code = f"import sys; from descend import logs; logs.read(sys.argv[1]); print([m for m in {heavy} if m in sys.modules])"
    path = str(FIXTURES / "lightning/version_0/metrics.csv")
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
