"""Parquet tables and Neptune's export; needs pyarrow, which nothing else in descend does."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.logs.collect import Cells, Raw, Table
from descend.logs.delimited import MAX_RUNS
from descend.logs.records import Records

__all__ = ["parquet_runs"]

_NEPTUNE = ("attribute_path", "step", "float_value")


def parquet_runs(path: Path, name: str, source: str) -> list[Raw]:
    """The runs in a Parquet file."""
    try:
        pa, pq = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise DescendError(f"{source!r} is a Parquet file; reading it needs pyarrow: pip install pyarrow") from None
    try:
        with pq.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            if set(_NEPTUNE) <= set(names):
                return _neptune(file, names, name, source)
            return _plain(file, pa, name, source)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, DescendError):
            raise
        raise DescendError(f"{source!r} could not be read as Parquet: {str(error).splitlines()[0]}") from None


def _neptune(file: Any, names: list[str], name: str, source: str) -> list[Raw]:
    """Long rows: run, path of the attribute, step, value."""
    run_key = next((k for k in ("run", "run_id", "custom_run_id", "run_name", "sys/name") if k in names), "")
    raws: dict[str, Raw] = {}
    for batch in file.iter_batches(columns=[*_NEPTUNE, *([run_key] if run_key else [])]):
        columns: Mapping[str, list[Any]] = batch.to_pydict()
        runs = columns[run_key] if run_key else [name] * batch.num_rows
        points: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for run, attribute, step, value in zip(runs, *(columns[k] for k in _NEPTUNE), strict=True):
            if step is not None and value is not None and abs(float(step)) < 2**53:
                points.setdefault((str(run), str(attribute)), []).append((int(step), float(value)))
        for (run, attribute), pairs in points.items():
            if run not in raws and len(raws) >= MAX_RUNS:
                raise DescendError(f"{source!r} holds more than {MAX_RUNS} runs; export fewer of them")
            raws.setdefault(run, Raw(run, source, "parquet", axis_name="step")).add_rows(attribute, pairs)
    if not raws:
        raise DescendError(f"{source!r} is a Neptune export without any number series")
    return list(raws.values())


def _plain(file: Any, pa: Any, name: str, source: str) -> list[Raw]:
    """Wide rows: one column a quantity; text columns are passed over unless they name the run."""
    schema = file.schema_arrow
    texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    if {"run", "run_id", "run_name", "trial_id"} & set(texts):
        records = Records(name, source, "parquet")
        for batch in file.iter_batches():
            records.add({k: v for k, v in row.items() if v is not None} for row in batch.to_pylist())
        return [raw for raw in records.runs() if raw.series]
    wanted = [f.name for f in schema if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)]
    if not wanted:
        raise DescendError(f"{source!r} is a Parquet table without columns of numbers")
    table = Table(Raw(name, source, "parquet"))
    for batch in file.iter_batches(columns=wanted):
        cells: dict[str, Cells] = {}
        for key in wanted:
            column = batch.column(batch.schema.get_field_index(key))
            kept = np.flatnonzero(~np.asarray(column.is_null().to_numpy(zero_copy_only=False), bool))
            values = column.to_numpy(zero_copy_only=False)
            cells[key] = (kept, np.asarray(values[kept], np.float64))
        table.add(batch.num_rows, cells)
    return [table.result()]
