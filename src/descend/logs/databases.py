"""SQLite databases of trackers, opened read-only: MLflow, trackio, Optuna."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from descend.errors import DescendError
from descend.logs.collect import Raw
from descend.logs.delimited import MAX_RUNS
from descend.logs.mlflow import number_steps
from descend.logs.optuna import intermediate, parameter
from descend.logs.records import Records, flat_settings, number

__all__ = ["database_runs"]

_LARGEST = 1.7976931348623157e308  # what MLflow's database keeps for infinity


def database_runs(path: Path, source: str) -> list[Raw]:
    """The runs in a tracker's database."""
    try:
        with closing(_open(path)) as db:
            found = list(_runs(db, source))
    except (sqlite3.Error, OverflowError, ValueError) as error:
        if isinstance(error, DescendError):
            raise
        raise DescendError(f"{source!r} could not be read as an SQLite database: {error}") from None
    if not found:
        raise DescendError(f"{source!r} is a tracker's database without any metrics yet")
    return found


def _open(path: Path) -> sqlite3.Connection:
    """Read-only; where nobody writes also without a lock, so that nothing is created beside the database."""
    live = path.with_name(path.name + "-wal").exists() or path.with_name(path.name + "-journal").exists()
    mode = "mode=ro" if live else "mode=ro&immutable=1"
    db = sqlite3.connect(f"file:{quote(str(path.resolve()))}?{mode}", uri=True, timeout=5)
    db.text_factory = lambda data: data.decode("utf-8", "replace")
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def _runs(db: sqlite3.Connection, source: str) -> Iterator[Raw]:
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    readers: list[tuple[set[str], Callable[[sqlite3.Connection, str], Iterator[Raw]]]] = [
        ({"runs", "metrics", "experiments"}, _mlflow),
        ({"trials", "trial_intermediate_values"}, _optuna),
        ({"metrics"}, _trackio),
    ]
    for needed, reader in readers:
        if needed <= tables:
            yield from reader(db, source)
            return
    raise DescendError(f"{source!r} is an SQLite database, but not one of MLflow, trackio or Optuna")


def _mlflow(db: sqlite3.Connection, source: str) -> Iterator[Raw]:
    query = "SELECT r.run_uuid, r.name, e.name FROM runs r LEFT JOIN experiments e ON e.experiment_id = r.experiment_id"
    runs = db.execute(query + " WHERE r.run_uuid IN (SELECT DISTINCT run_uuid FROM metrics) ORDER BY r.start_time").fetchmany(
        MAX_RUNS + 1
    )
    if len(runs) > MAX_RUNS:
        raise DescendError(f"{source!r} holds more than {MAX_RUNS} runs; export the ones to be read")
    for run, name, experiment in runs:
        raw = Raw(str(name or run), source, "mlflow", axis_name="step")
        if experiment:
            raw.config["experiment"] = str(experiment)
        for key, value in db.execute("SELECT key, value FROM params WHERE run_uuid = ?", (run,)):
            raw.hyperparameters[str(key)] = value if (plain := number(value)) is None else plain
        _mlflow_metrics(db, run, raw)
        number_steps(raw)
        if raw.series:
            yield raw


def _mlflow_metrics(db: sqlite3.Connection, run: str, raw: Raw) -> None:
    rows: dict[str, list[tuple[int, float]]] = {}
    cursor = db.execute(
        "SELECT key, value, step, is_nan FROM metrics WHERE run_uuid = ? ORDER BY timestamp, step, rowid", (run,)
    )
    for key, value, step, is_nan in cursor:
        plain = number(value)
        if plain is None or not isinstance(step, int) or abs(step) >= 2**53:
            continue
        if is_nan:
            plain = math.nan
        elif abs(plain) >= _LARGEST:
            plain = math.copysign(math.inf, plain)
        rows.setdefault(str(key), []).append((step, plain))
        if len(rows[str(key)]) >= 100_000:
            raw.add_rows(str(key), rows.pop(str(key)))
    for key, pairs in rows.items():
        raw.add_rows(key, pairs)


def _trackio(db: sqlite3.Connection, source: str) -> Iterator[Raw]:
    columns = {row[1] for row in db.execute("PRAGMA table_info(metrics)")}
    if not {"run_name", "step", "metrics"} <= columns:
        raise DescendError(f"{source!r} is an SQLite database, but not one of MLflow, trackio or Optuna")
    runs = [name for (name,) in db.execute("SELECT DISTINCT run_name FROM metrics ORDER BY run_name LIMIT ?", (MAX_RUNS + 1,))]
    if len(runs) > MAX_RUNS:
        raise DescendError(f"{source!r} holds more than {MAX_RUNS} runs; export the ones to be read")
    configs = _trackio_configs(db)
    order = "id" if "id" in columns else "rowid"
    for run in runs:
        records, damaged, block = Records(str(run), source, "trackio"), 0, []
        records.fix("trackio")
        for step, text in db.execute(f"SELECT step, metrics FROM metrics WHERE run_name IS ? ORDER BY {order}", (run,)):
            try:
                values = json.loads(text)
            except (ValueError, TypeError, RecursionError):
                damaged += 1
                continue
            if isinstance(values, dict):
                block.append({**values, "step": step})
            if len(block) >= 10_000:
                records.add(block)
                block = []
        records.add(block)
        for raw in records.runs():
            raw.hyperparameters |= configs.get(str(run), {})
            if damaged:
                raw.note(f"{damaged} rows are damaged and were left out")
            if raw.series:
                yield raw


def _trackio_configs(db: sqlite3.Connection) -> dict[str, dict[str, object]]:
    try:
        rows = db.execute("SELECT run_name, config FROM configs LIMIT ?", (MAX_RUNS,)).fetchall()
    except sqlite3.Error:
        return {}
    found: dict[str, dict[str, object]] = {}
    for run, text in rows:
        try:
            config = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            continue
        if isinstance(config, dict):
            found[str(run)] = {k: v for k, v in flat_settings(config).items() if not k.startswith("_")}
    return found


def _optuna(db: sqlite3.Connection, source: str) -> Iterator[Raw]:
    trials = db.execute(
        "SELECT t.trial_id, t.number, s.study_name, s.study_id FROM trials t LEFT JOIN studies s ON s.study_id = t.study_id"
        " WHERE t.trial_id IN (SELECT DISTINCT trial_id FROM trial_intermediate_values) ORDER BY t.trial_id"
    ).fetchmany(MAX_RUNS + 1)
    if len(trials) > MAX_RUNS:
        raise DescendError(f"{source!r} holds more than {MAX_RUNS} trials; export the ones to be read")
    for trial, number_in_study, study, study_id in trials:
        directions = [d for (d,) in db.execute("SELECT direction FROM study_directions WHERE study_id = ?", (study_id,))]
        minimised = directions == ["MINIMIZE"] if len(directions) == 1 else None
        raw = intermediate(f"{study}/trial {number_in_study}", source, minimised)
        params = db.execute("SELECT param_name, param_value, distribution_json FROM trial_params WHERE trial_id = ?", (trial,))
        for name, value, distribution in params:
            raw.hyperparameters[str(name)] = parameter(value, distribution)
        cursor = db.execute(
            "SELECT step, intermediate_value, intermediate_value_type FROM trial_intermediate_values WHERE trial_id = ?"
            " ORDER BY step",
            (trial,),
        )
        special = {"INF_POS": math.inf, "INF_NEG": -math.inf, "NAN": math.nan}
        pairs = [(step, special.get(kind, number(value))) for step, value, kind in cursor if isinstance(step, int)]
        raw.add_rows("intermediate_value", [(s, math.nan if v is None else v) for s, v in pairs if abs(s) < 2**53])
        yield raw
