"""Writes tests/logs/fixtures with the real writers of each format; run it in an environment that has them.

    pip install tensorboard tensorboardX wandb mlflow optuna trackio pyarrow transformers accelerate lightning keras "ray[tune]"
    pip install torch
    python tests/logs/make_fixtures.py [name …]

The versions used are kept in fixtures/VERSIONS. Host names, user names and paths are replaced where the writer embeds them.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import known_values as known

HERE = Path(__file__).parent / "fixtures"
WORK = Path(tempfile.mkdtemp(prefix="fixtures-"))
PACKAGES = "tensorboard tensorboardX torch wandb mlflow trackio optuna transformers lightning keras ray pyarrow pandas numpy"


def fresh(name: str) -> Path:
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def anonymous_events(folder: Path) -> None:
    """The name of an event file holds the host and the process: events.out.tfevents.<time>.<host>.<pid>.<n>."""
    for i, path in enumerate(sorted(folder.rglob("*tfevents*"))):
        path.rename(path.with_name(f"events.out.tfevents.17000000{i:02d}.host.1.{i}"))


def tensorboard() -> None:
    """torch's writer (simple values, sub-runs, hyperparameters, negative steps, histograms), tensorboardX, tensor scalars."""
    import numpy as np
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.scalar import summary_v2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboardX import SummaryWriter as WriterX
    from torch.utils.tensorboard import SummaryWriter

    folder = fresh("tensorboard")
    with SummaryWriter(str(folder / "torch")) as w:
        for k in range(known.STEPS):
            w.add_scalar("train/loss", known.loss(k), k)
            w.add_scalar("lr", known.lr(k), k)
            if k in known.EVAL_STEPS:
                w.add_scalar("val/loss", known.val_loss(k), k)
                w.add_histogram("weights", np.arange(20.0) + k, k)
                w.add_text("remark", f"step {k}", k)
        w.add_scalar("countdown", 1.0, -5)
        w.add_scalar("countdown", 2.0, 0)
    with SummaryWriter(str(folder / "subruns")) as w:
        for k in range(known.STEPS):
            w.add_scalars("loss", {"train": known.loss(k), "val": known.val_loss(k)}, k)
        w.add_hparams(known.HYPERPARAMETERS, {"hparam/accuracy": 0.5})
    with WriterX(str(folder / "x")) as w:
        for k in range(known.STEPS):
            w.add_scalar("loss", known.loss(k), k)
    for split, value in (("train", known.loss), ("validation", known.val_loss)):
        writer = EventFileWriter(str(folder / "tensors" / split))
        for k in range(known.STEPS):
            summary = summary_v2.scalar_pb("epoch_loss", value(k))
            writer.add_event(Event(wall_time=1.7e9 + k, step=k, summary=summary))
        writer.close()
    first = folder / "restart"
    for begin, end in ((0, 25), (20, known.STEPS)):
        with SummaryWriter(str(first), filename_suffix=f".{begin}") as w:
            for k in range(begin, end):
                w.add_scalar("loss", known.finite_loss(k) + begin, k)
    anonymous_events(folder)


def wandb() -> None:
    """An offline run, its history and summary as JSON, and the CSV a chart exports (same columns as the page writes)."""
    os.environ |= {"WANDB_MODE": "offline", "WANDB_DIR": str(WORK), "WANDB_SILENT": "true", "WANDB_CONSOLE": "off"}
    import wandb as w

    settings = w.Settings(
        x_disable_meta=True, x_disable_stats=True, x_disable_machine_info=True, disable_git=True, save_code=False,
        disable_code=True, host="host", username="user", email="", program="train.py", console="off",
    )  # fmt: skip
    run = w.init(project="descend", name="known", config=known.HYPERPARAMETERS, settings=settings)
    for k in range(known.STEPS):
        row = {"train/loss": known.loss(k), "lr": known.lr(k), "nested": {"grad_norm": known.grad_norm(k)}, "text": "hello"}
        if k in known.EVAL_STEPS:
            row["val/loss"] = known.val_loss(k)
        run.log(row, step=k)
    run.finish()
    (path,) = WORK.rglob("*.wandb")
    folder = fresh("wandb")
    shutil.copy(path, folder / "run-known.wandb")
    rows = [{"_step": k, "_runtime": k + 0.5, "_timestamp": 1.7e9 + k, "loss": known.loss(k)} for k in range(known.STEPS)]
    (folder / "wandb-history.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (folder / "wandb-summary.json").write_text(json.dumps({**rows[-1], "_wandb": {"runtime": 40}}))
    lines = ['"Step","first - train/loss","first - train/loss__MIN","first - train/loss__MAX","second - x - train/loss"']
    for k in range(known.STEPS):
        v = known.finite_loss(k)
        lines.append(f'"{k}","{v}","{v}","{v}","{2 * v if k % 2 == 0 else ""}"')
    (folder / "wandb_export.csv").write_text("\n".join(lines) + "\n")


def mlflow() -> None:
    """The file store and the SQLite store."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    os.environ["GIT_PYTHON_REFRESH"] = "quiet"
    import mlflow as m

    folder = fresh("mlflow")
    store = folder / "mlruns"
    for uri in (store.as_uri(), f"sqlite:///{folder / 'mlflow.db'}"):
        try:
            m.set_tracking_uri(uri)
            m.set_experiment("known")
            with m.start_run(run_name="one"):
                m.log_params(known.HYPERPARAMETERS)
                for k in range(known.STEPS):
                    m.log_metric("train/loss", known.loss(k), step=k)
                    m.log_metric("val_loss", known.val_loss(k), step=k)
                for k in range(5):
                    m.log_metric("unstepped", float(k))
            with m.start_run(run_name="two"):
                m.log_metric("loss", 1.25, step=3)
        except Exception as error:
            print("mlflow", uri, repr(error)[:300])
    for path in store.rglob("meta.yaml"):
        text = re.sub(r"(artifact_uri|artifact_location|user_id|source_name): .*", r"\1: removed", path.read_text())
        path.write_text(text)
    for tags in store.rglob("tags"):
        shutil.rmtree(tags)
    for empty in sorted(store.rglob("*"), reverse=True):
        if empty.is_dir() and not any(empty.iterdir()) and empty.name != "metrics":
            empty.rmdir()
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as db:
        kept = {"runs", "metrics", "params", "experiments", "latest_metrics", "alembic_version"}
        db.execute("PRAGMA foreign_keys = OFF")
        tables = [t for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'")]
        for table in set(tables) - kept:
            db.execute(f"DROP TABLE {table}")
        db.execute("UPDATE runs SET user_id = 'user', artifact_uri = '', source_name = ''")
        db.execute("UPDATE experiments SET artifact_location = ''")
        db.commit()
        db.execute("VACUUM")


def trackio() -> None:
    """A project database."""
    os.environ |= {"TRACKIO_DIR": str(WORK / "trackio"), "TRACKIO_SHOW": "0", "HF_HUB_OFFLINE": "1"}
    import time

    import trackio as t

    t.init(project="known", name="one", config=known.HYPERPARAMETERS)
    for k in range(known.STEPS):
        t.log({"train/loss": known.loss(k), "lr": known.lr(k)}, step=k)
    t.finish()
    time.sleep(2)
    (path,) = [p for p in (WORK / "trackio").rglob("*.db") if "known" in p.name]
    folder = fresh("trackio")
    with contextlib.closing(sqlite3.connect(path)) as db, contextlib.closing(sqlite3.connect(folder / "known.db")) as copy:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        for table in [t for (t,) in copy.execute("SELECT name FROM sqlite_master WHERE type='table'")]:
            if table == "configs":
                rows = copy.execute("SELECT id, config FROM configs").fetchall()
                for i, text in rows:
                    config = {k: v for k, v in json.loads(text).items() if not k.startswith("_")}
                    copy.execute("UPDATE configs SET config = ? WHERE id = ?", (json.dumps(config), i))
            elif table not in ("metrics", "sqlite_sequence"):
                copy.execute(f"DROP TABLE {table}")
        copy.commit()
        copy.execute("VACUUM")


def transformers() -> None:
    """A small Trainer run: its state, what it prints, and its event file; a NaN loss that the Trainer hides."""
    os.environ["WANDB_DISABLED"] = "true"
    import torch
    from transformers import Trainer, TrainerState, TrainingArguments

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)
            self.calls = 0

        def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
            self.calls += self.training
            value = ((self.layer(x)[:, 0] - labels) ** 2).mean()
            return {"loss": value * (float("nan") if self.calls == 13 else 1.0), "logits": self.layer(x)}

    torch.manual_seed(0)
    x = torch.randn(64, 4)
    data = [{"x": row, "labels": row.sum()} for row in x]
    folder = fresh("transformers")
    for filtered in (True, False):
        out = WORK / f"hf{filtered}"
        args = TrainingArguments(
            str(out), num_train_epochs=3, per_device_train_batch_size=8, logging_steps=5, eval_strategy="steps", eval_steps=10,
            save_strategy="steps", save_steps=12, logging_nan_inf_filter=filtered, learning_rate=0.01, report_to=[],
            disable_tqdm=True, use_cpu=True, remove_unused_columns=False, max_grad_norm=1.0,
        )  # fmt: skip
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            Trainer(Model(), args, train_dataset=data, eval_dataset=data[:16]).train()
        (folder / f"train-{filtered}.log").write_text(printed.getvalue())
        for state in sorted(out.glob("checkpoint-*/trainer_state.json")):
            target = folder / f"filter-{filtered}" / state.parent.name / state.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(state, target)
    state = TrainerState(log_history=[])
    state.logging_steps, state.max_steps, state.global_step = 1, known.STEPS, known.STEPS
    for k in range(known.STEPS):
        state.log_history.append(
            {"step": k, "epoch": k / 10, "loss": known.loss(k), "grad_norm": known.grad_norm(k), "learning_rate": known.lr(k)}
        )
        if k in known.EVAL_STEPS:
            state.log_history.append({"step": k, "epoch": k / 10, "eval_loss": known.val_loss(k), "eval_runtime": 0.1})
    state.log_history.append({"step": known.STEPS, "epoch": 4.0, "train_loss": 0.7, "train_runtime": 3.0, "total_flos": 0.0})
    state.save_to_json(str(folder / "trainer_state.json"))


def lightning() -> None:
    """A small run with the CSVLogger."""
    import lightning as pl
    import torch
    from lightning.pytorch.loggers import CSVLogger

    class Model(pl.LightningModule):
        def __init__(self, lr: float = 0.1, batch_size: int = 4) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
            k = self.global_step
            self.log("train_loss", known.finite_loss(k), on_step=True, on_epoch=True)
            self.log("grad_norm", known.grad_norm(k))
            return self.layer(batch).square().mean()

        def validation_step(self, batch: torch.Tensor, index: int) -> None:
            self.log("val_loss", known.val_loss(self.global_step))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    data = torch.utils.data.DataLoader(torch.ones(40, 2), batch_size=4)
    logger = CSVLogger(str(WORK), name="lightning", version=0)
    trainer = pl.Trainer(
        max_epochs=4, logger=logger, log_every_n_steps=1, accelerator="cpu", enable_progress_bar=False,
        enable_checkpointing=False, enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(Model(), data, torch.utils.data.DataLoader(torch.ones(4, 2), batch_size=4))
    folder = fresh("lightning") / "version_0"
    folder.mkdir()
    for name in ("metrics.csv", "hparams.yaml"):
        shutil.copy(WORK / "lightning" / "version_0" / name, folder / name)


def keras() -> None:
    """CSVLogger and the progress text, with the bar and with one line an epoch."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras as k
    import numpy as np

    folder = fresh("keras")
    k.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
    y = (x.sum(1) > 0).astype("float32")
    histories = {}
    for verbose, name in ((1, "progress.txt"), (2, "lines.txt")):
        model = k.Sequential([k.layers.Input((4,)), k.layers.Dense(8, "relu"), k.layers.Dense(1, "sigmoid")])
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            history = model.fit(
                x,
                y,
                epochs=5,
                validation_split=0.2,
                verbose=verbose,
                callbacks=[k.callbacks.CSVLogger(str(folder / f"{name}.csv"))],
            )
        (folder / name).write_text(printed.getvalue())
        histories[name] = history.history
    (folder / "history.json").write_text(json.dumps(histories["progress.txt"]))


def ray() -> None:
    """A Tune trial with its result.json, progress.csv and params.json."""
    from ray import tune

    def train(config: dict[str, float]) -> None:
        for k in range(known.STEPS):
            tune.report({"loss": known.loss(k), "nested": {"val_loss": known.val_loss(k)}})

    out = WORK / "ray"
    tuner = tune.Tuner(
        train,
        param_space={"lr": tune.grid_search([0.1, 0.2]), "batch_size": 32},
        run_config=tune.RunConfig(name="exp", storage_path=str(out)),
    )
    tuner.fit()
    folder = fresh("ray")
    for i, result in enumerate(sorted(out.rglob("result.json"))):
        target = folder / "exp" / f"trial_{i}"
        target.mkdir(parents=True)
        for name in ("result.json", "progress.csv", "params.json"):
            text = (result.parent / name).read_text()
            text = re.sub(r'"hostname": "[^"]*"', '"hostname": "host"', text)
            text = re.sub(r'"node_ip": "[^"]*"', '"node_ip": "127.0.0.1"', text)
            (target / name).write_text(re.sub(os.uname().nodename, "host", text))


def optuna() -> None:
    """Intermediate values in a database and in a journal."""
    import optuna as o

    o.logging.set_verbosity(o.logging.ERROR)
    folder = fresh("optuna")
    journal = o.storages.JournalStorage(o.storages.journal.JournalFileBackend(str(folder / "journal.log")))
    for storage in (f"sqlite:///{folder / 'optuna.db'}", journal):
        study = o.create_study(storage=storage, study_name="known", direction="minimize")

        def objective(trial: o.Trial) -> float:
            scale = trial.suggest_float("lr", 0.1, 0.1)
            trial.suggest_categorical("optimizer", ["sgd", "adam"])
            for k in range(known.STEPS):
                trial.report(known.loss(k) + 10 * trial.number, k)
            return scale

        study.optimize(objective, n_trials=2)


def tables() -> None:
    """Parquet by pyarrow and CSV by pandas, wide and in Neptune's long form."""
    import pandas as pd

    folder = fresh("tables")
    steps = range(known.STEPS)
    wide = pd.DataFrame({"step": steps, "loss": [known.loss(k) for k in steps], "lr": [known.lr(k) for k in steps]})
    wide.to_parquet(folder / "wide.parquet")
    wide.to_csv(folder / "pandas.csv", index=False)
    wide.to_csv(folder / "pandas_na.csv.gz", index=False, na_rep="nan")
    wide.to_json(folder / "pandas.jsonl", orient="records", lines=True)
    long = pd.concat(
        pd.DataFrame(
            {"run": run, "attribute_path": path, "attribute_type": "float_series", "step": [float(k) for k in steps],
             "float_value": [f(k) for k in steps]}
        )
        for run in ("RUN-1", "RUN-2")
        for path, f in (("metrics/train/loss", known.loss), ("metrics/lr", known.lr))
    )  # fmt: skip
    long.to_parquet(folder / "neptune.parquet")
    long.to_csv(folder / "neptune.csv", index=False)


MAKERS = (tensorboard, wandb, mlflow, trackio, transformers, lightning, keras, ray, optuna, tables)


def main(names: list[str]) -> None:
    if not names:  # each writer in its own process: they install hooks and threads that get in each other's way
        for maker in MAKERS:
            done = subprocess.run([sys.executable, __file__, maker.__name__], capture_output=True, text=True, check=False)
            print(maker.__name__, "ok" if done.returncode == 0 else done.stderr[-2000:])
        versions = [f"python {sys.version.split()[0]}"]
        for package in PACKAGES.split():
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                versions.append(f"{package} {importlib.metadata.version(package)}")
        (HERE / "VERSIONS").write_text("\n".join(versions) + "\n")
    for maker in MAKERS:
        if maker.__name__ in names:
            maker()


if __name__ == "__main__":
    main(sys.argv[1:])
