"""MLflow's file store: one folder per run, one file per metric with lines "milliseconds value step"."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from descend.errors import DescendError
from descend.logs.collect import MAX_COLUMNS, Raw
from descend.logs.stream import read_small, refusal

__all__ = ["flat_yaml", "folder_run", "number_steps", "setting"]


def folder_run(folder: Path, name: str) -> Raw:
    """The run in a folder of the file store."""
    raw = Raw(name, str(folder), "mlflow", axis_name="step")
    meta = flat_yaml(folder / "meta.yaml")
    raw.name = meta.get("run_name") or name
    if experiment := flat_yaml(folder.parent / "meta.yaml").get("name"):
        raw.config["experiment"] = experiment
    if meta.get("lifecycle_stage") == "deleted":
        raw.note("the run is marked as deleted in MLflow")
    for path in _files(folder / "metrics"):
        key = os.path.relpath(path, folder / "metrics").replace(os.sep, "/")
        _metric(raw, key, path)
    for path in _files(folder / "params"):
        value = read_small(path, 1 << 20).decode("utf-8", "replace")
        raw.hyperparameters[os.path.relpath(path, folder / "params").replace(os.sep, "/")] = setting(value)
    number_steps(raw)
    if not raw.series:
        raise DescendError(f"the MLflow run {str(folder)!r} has no metrics yet")
    return raw


def _files(folder: Path) -> list[Path]:
    """All files below a folder, in order: keys with a slash are sub-folders."""
    found: list[Path] = []
    try:
        for root, _, names in os.walk(folder):
            found += [Path(root) / name for name in names if not name.startswith(".")]
            if len(found) > MAX_COLUMNS:
                break
    except OSError as error:
        raise refusal(folder, error) from None
    return sorted(found)


def _metric(raw: Raw, key: str, path: Path) -> None:
    rows: list[tuple[int, float]] = []
    bad = 0
    for line in read_small(path).decode("utf-8", "replace").split("\n"):
        parts = line.split()
        try:
            step = int(parts[2]) if len(parts) > 2 else 0
            if abs(step) >= 2**53:
                raise ValueError
            rows.append((step, float(parts[1])))
        except (ValueError, IndexError):
            bad += bool(parts)
    if bad:
        raw.note(f"{bad} lines of {key} are damaged or cut off and were left out")
    if rows:
        raw.add_rows(key, rows)


def number_steps(raw: Raw) -> None:
    """Where a metric was logged without a step MLflow writes 0 each time: its points are numbered instead."""
    for name, points in list(raw.series.items()):
        steps, values = points.arrays()
        if len(steps) > 1 and not steps.any():
            fresh = type(points)()
            fresh.add(np.arange(len(steps)), values)
            raw.series[name] = fresh
            raw.note("metrics were logged without a step; their points are counted instead")


def setting(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text[:1000]


def flat_yaml(path: Path) -> dict[str, str]:
    """The flat "key: value" lines of a YAML file."""
    try:
        text = path.read_bytes()[: 1 << 16].decode("utf-8", "replace")
    except OSError:
        return {}
    pairs = re.findall(r"^(\w+):[ \t]*(.*?)[ \t\r]*$", text, re.MULTILINE)
    return {key: value.strip("'\"") for key, value in pairs if value not in ("null", "''")}
