"""JSON lines and JSON documents: plain records, W&B history and summary, Ray Tune results, Keras' History, descend's trace."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.logs import huggingface
from descend.logs.collect import Cells, Raw, Table
from descend.logs.delimited import MAX_RUNS
from descend.logs.stream import Utf8
from descend.trace import Trace

__all__ = ["JsonLines", "Records", "document", "flat_numbers", "flat_settings", "from_trace", "load_trace", "number"]

_RUN_NAMES = ("run", "run_id", "run_name", "trial_id", "experiment")
_NOT_NUMBERS = {"config", "hist_stats", "info"}
_RAY_CLOCKS = {"pid", "timestamp", "date", "time_since_restore", "iterations_since_restore", "hostname", "node_ip"}


def number(value: Any) -> float | None:
    """A JSON value as a number: NaN and Infinity as strings too; None where it is none. True and False are no numbers.

    >>> number("NaN"), number(3), number("high"), number(True)
    (nan, 3.0, None, None)
    """
    if isinstance(value, float):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str) and len(value) < 40:
        try:
            return float(value)
        except ValueError:
            return None
    return None


class Records:
    """Dictionaries, one after another, on their way to one run, or to several where they name their run."""

    def __init__(self, name: str, source: str, format: str = "json lines") -> None:
        self.name, self.source, self.format = name, source, format
        self._tables: dict[str, Table] = {}
        self._flavoured = False
        self._run_key = ""
        self.notes: list[str] = []

    def add(self, records: Iterable[Any]) -> None:
        """Append records; what is no dictionary is passed over."""
        by_run: dict[str, list[Mapping[str, Any]]] = {}
        for record in records:
            if isinstance(record, dict):
                if not self._flavoured:
                    self._flavour(record)
                run = record.get(self._run_key) if self._run_key else None
                by_run.setdefault(run if isinstance(run, str) else self.name, []).append(record)
        for run, members in by_run.items():
            table = self._table(run)
            if isinstance(config := members[0].get("config"), dict):
                table.raw.hyperparameters |= flat_settings(config)
            table.add(len(members), self._cells(members))

    def runs(self) -> list[Raw]:
        """The runs so far."""
        found = [table.result() for table in self._tables.values()]
        for raw in found:
            for sentence in self.notes:
                raw.note(sentence)
        return found

    def fix(self, format: str) -> None:
        """Say the format instead of telling it from the first record."""
        self.format, self._flavoured = format, True

    def _flavour(self, record: Mapping[str, Any]) -> None:
        self._flavoured = True
        if "training_iteration" in record and ("trial_id" in record or "time_total_s" in record):
            self.format, self._run_key = "ray", "trial_id"
        elif "_step" in record and ("_timestamp" in record or "_runtime" in record):
            self.format = "w&b history"
        else:
            self._run_key = next((key for key in _RUN_NAMES if isinstance(record.get(key), str)), "")

    def _cells(self, records: list[Mapping[str, Any]]) -> dict[str, Cells]:
        rows: dict[str, list[int]] = {}
        values: dict[str, list[float]] = {}
        for i, record in enumerate(records):
            for key, value in record.items():
                if type(value) is float:
                    rows.setdefault(key, []).append(i)
                    values.setdefault(key, []).append(value)
                elif isinstance(value, dict):
                    for name, inner in flat_numbers(key, value):
                        rows.setdefault(name, []).append(i)
                        values.setdefault(name, []).append(inner)
                elif (plain := number(value)) is not None:
                    rows.setdefault(key, []).append(i)
                    values.setdefault(key, []).append(plain)
        skip = _RAY_CLOCKS if self.format == "ray" else ()
        return {k: (np.array(rows[k], np.int64), np.array(values[k], np.float64)) for k in rows if k not in skip}

    def _table(self, run: str) -> Table:
        if run not in self._tables:
            if len(self._tables) >= MAX_RUNS:
                raise DescendError(f"{self.source!r} holds more than {MAX_RUNS} runs; split it, or choose one run")
            self._tables[run] = Table(Raw(run, self.source, self.format))
        return self._tables[run]


def flat_numbers(prefix: str, value: Mapping[str, Any], depth: int = 0) -> Iterable[tuple[str, float]]:
    """Numbers inside nested dictionaries, under names joined by slashes."""
    if prefix in _NOT_NUMBERS or "_type" in value or depth > 4:
        return
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from flat_numbers(f"{prefix}/{key}", inner, depth + 1)
        elif (plain := number(inner)) is not None:
            yield f"{prefix}/{key}", plain


def flat_settings(config: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """A configuration as plain values under names joined by slashes, at most a few hundred.

    >>> flat_settings({"optim": {"lr": 0.1}, "layers": [64, 64]})
    {'optim/lr': 0.1, 'layers': [64, 64]}
    """
    flat: dict[str, Any] = {}
    for key, value in list(config.items())[:500]:
        if isinstance(value, dict) and depth < 4:
            flat |= flat_settings(value, f"{prefix}{key}/", depth + 1)
        elif isinstance(value, str | int | float | bool) or (isinstance(value, list) and len(value) <= 20):
            flat[f"{prefix}{key}"] = value
    return flat


class JsonLines:
    """Reads JSON lines block by block."""

    def __init__(self, name: str, source: str) -> None:
        self._text = Utf8()
        self._rest = b""
        self._bad = 0
        self.records = Records(name, source)

    def feed(self, data: bytes) -> None:
        """Append a piece of the file."""
        text = self._rest + self._text(data)
        cut = text.rfind(b"\n") + 1
        self._rest = text[cut:]
        if cut:
            self._lines([line for line in text[:cut].split(b"\n") if line.strip()])

    def finish(self) -> None:
        """The file has ended: a last line that is no whole record was cut off."""
        line, self._rest = (self._rest + self._text.finish()).strip(), b""
        if not line:
            return
        try:
            self.records.add([json.loads(line)])
        except (ValueError, RecursionError):
            self.records.notes.append("its last line is cut off and was left out")

    def runs(self) -> list[Raw]:
        """The runs so far."""
        found = self.records.runs()
        for raw in found:
            if self._bad:
                raw.note(f"{self._bad} lines are no JSON records and were left out")
        return found

    def _lines(self, lines: list[bytes]) -> None:
        for start in range(0, len(lines), 10_000):
            block = lines[start : start + 10_000]
            try:
                records = json.loads(b"[" + b",".join(block) + b"]")
                if len(records) != len(block):
                    raise ValueError("a line held several values")
            except (ValueError, RecursionError):
                records = list(self._one_by_one(block))
            self.records.add(records)

    def _one_by_one(self, lines: list[bytes]) -> Iterable[Any]:
        for line in lines:
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                self._bad += 1


def document(data: bytes, name: str, source: str) -> list[Raw] | Trace:
    """The runs in one JSON document, told apart by its shape."""
    text = Utf8()
    try:
        value = json.loads(text(data) + text.finish())
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "nested too deeply"
        raise DescendError(f"{source!r} is not whole JSON ({reason}); it may still be being written") from None
    if isinstance(value, dict) and "columns" in value and "structure" in value:
        return from_trace(lambda: Trace.from_dict(value), source)
    if isinstance(value, dict) and isinstance(value.get("log_history"), list):
        return [huggingface.state(value, name, source)]
    if isinstance(value, list) and value and all(isinstance(r, list) and len(r) == 3 for r in value):
        return [_tensorboard_page(value, name, source)]
    if isinstance(value, list):
        if huggingface.is_history(value):
            return [huggingface.state({"log_history": value}, name, source)]
        return _records(value, name, source)
    if isinstance(value, dict):
        return _dictionary(value, name, source)
    raise DescendError(f"{source!r} is JSON, but holds no records of a training log")


def _records(value: list[Any], name: str, source: str) -> list[Raw]:
    records = Records(name, source, "json")
    if value and all(number(item) is not None for item in value):
        value = [{"loss": item} for item in value]
        records.notes.append("it is a bare list of numbers, read as the loss")
    records.add(value)
    runs = [raw for raw in records.runs() if raw.series]
    if not runs:
        raise DescendError(f"{source!r} is JSON, but holds no records of a training log")
    return runs


def _dictionary(value: dict[str, Any], name: str, source: str) -> list[Raw]:
    """A dictionary of lists (Keras' History), or a summary of one run: the last value of everything."""
    history = value.get("history") if isinstance(value.get("history"), dict) else value
    lists = {k: v for k, v in (history or {}).items() if isinstance(v, list) and v and all(number(x) is not None for x in v)}
    if lists:
        raw = Raw(name, source, "json")
        table = Table(raw)
        longest = max(len(v) for v in lists.values())
        cells = {k: (np.arange(len(v)), np.array([number(x) for x in v], np.float64)) for k, v in lists.items()}
        table.add(longest, cells)
        found = table.result()
        if found.axis == "row" and any(k.startswith("val_") for k in lists):
            found.axis, found.axis_name = "epoch", "position in the list"
        return [found]
    for key in ("logs", "log", "metrics", "records", "data", "rows"):
        if isinstance(value.get(key), list) and any(isinstance(r, dict) for r in value[key]):
            return _records(value[key], name, source)
    return [_summary(value, name, source)]


def _summary(value: dict[str, Any], name: str, source: str) -> Raw:
    plain = {k: x for k, v in value.items() if (x := number(v)) is not None}
    if "_step" not in plain and "_runtime" not in plain:
        raise DescendError(f"{source!r} is JSON, but holds no records of a training log")
    raw = Raw(name, source, "w&b summary")
    step = plain.pop("_step", 0.0)
    for key, v in plain.items():
        raw.add(key, np.array([step if math.isfinite(step) else 0], np.int64), np.array([v]))
    raw.lose("summary", "it is a summary: only the last value of each quantity is there")
    return raw


def _tensorboard_page(rows: list[list[Any]], name: str, source: str) -> Raw:
    """The JSON that TensorBoard's page exports for one curve: [wall time, step, value]."""
    raw = Raw(name, source, "tensorboard json")
    pairs = [(number(r[1]), number(r[2])) for r in rows]
    kept = [(int(s), v) for s, v in pairs if s is not None and v is not None and abs(s) < 2**53]
    raw.add_rows("loss" if len(kept) else "value", kept)
    raw.note("TensorBoard's page exports one curve without its name: it is read as the loss")
    if len(kept) >= 1000:
        raw.lose("sampled", "TensorBoard's page exports at most 1000 points a curve: it may be sampled")
    return raw


def from_trace(load: Any, source: str) -> Trace:
    """descend's own trace; whatever a damaged file makes the decoder raise becomes one sentence."""
    try:
        trace: Trace = load()
    except DescendError as error:
        raise DescendError(" ".join(str(error).split())) from None
    except Exception as error:  # zip, zlib, struct, JSON and NumPy each raise their own on damaged bytes
        raise DescendError(f"{source!r} is not a whole trace saved by descend ({type(error).__name__})") from None
    config = {"format": "descend", "roles": {n: n for n in trace.columns}, "resolution": "step", "lossy": []}
    interval = float(np.median(np.diff(trace.step))) if "loss" in trace and len(trace.step) > 1 else None
    return trace.replace(config={**config, "interval": interval, **trace.config}, source=source)


def load_trace(path: Path, source: str) -> Trace:
    """A trace saved as .npz."""
    return from_trace(lambda: Trace.load(path), source)
