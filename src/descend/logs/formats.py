"""The formats that can be read, and how a file's format is told from its first bytes."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from descend.errors import DescendError
from descend.logs.delimited import sniff
from descend.logs.roles import guess
from descend.logs.stream import Utf8
from descend.logs.tensorboard import looks_like_events
from descend.logs.text import PlainText, looks_like_keras

__all__ = ["FORMATS", "Format", "NotALogError", "identify"]


class NotALogError(DescendError):
    """A file that is no training log; in a folder such files are passed over."""


class Format(NamedTuple):
    """A format that can be read."""

    name: str
    description: str
    recognised: str


FORMATS: tuple[Format, ...] = (
    Format("tensorboard", "TensorBoard event files, with their sub-run folders", "length and checksum in the first 12 bytes"),
    Format("w&b offline", "W&B offline run (.wandb)", "the file starts with :W&B"),
    Format("w&b chart", "CSV exported from a W&B chart (sampled)", 'columns named "<run> - <metric>"'),
    Format("w&b history", "W&B history as JSON lines", "records with _step and _timestamp"),
    Format("w&b summary", "W&B summary: last values only", "one JSON object with _step or _runtime"),
    Format("mlflow", "MLflow file store (mlruns/) or its SQLite database", "meta.yaml by metrics/; tables runs and metrics"),
    Format("trackio", "trackio project database", "SQLite with trackio's metrics table"),
    Format("hugging face", "Trainer's trainer_state.json or log_history", "JSON with log_history"),
    Format("lightning", "Lightning CSVLogger's metrics.csv", "metrics.csv with step and epoch"),
    Format("keras", "Keras CSVLogger", "a table that starts with epoch and has loss"),
    Format("keras text", "what Keras' fit prints", 'lines "Epoch 3/20" and "… - loss: 0.41"'),
    Format("ray", "Ray Tune trial: result.json or progress.csv", "records with training_iteration and trial_id"),
    Format("optuna", "Optuna's intermediate values: SQLite or journal file", "trial_intermediate_values; op_code"),
    Format("tensorboard csv", "CSV of one curve from TensorBoard's page", "columns Wall time, Step, Value"),
    Format("tensorboard json", "JSON of one curve from TensorBoard's page", "a list of [wall time, step, value]"),
    Format("csv", "any table (comma, tab, semicolon, spaces) with a loss column", "a header of names over rows of numbers"),
    Format("json lines", "any JSON lines with a loss", "one JSON object per line"),
    Format("json", "a list of records, or lists by name such as Keras' History.history", "a JSON document"),
    Format("text", "any text log whose lines name a loss and a number", '"step 10 loss 2.31" and the like'),
    Format("parquet", "Parquet table, Neptune export (needs pyarrow)", "the file starts with PAR1"),
    Format("descend", "descend's own trace (.npz, .json)", "saved by Trace.save"),
)  # fmt: skip

_MAGIC = (
    (b"SQLite format 3\x00", "sqlite"), (b":W&B", "w&b offline"), (b"PK\x03\x04", "npz"), (b"PAR1", "parquet"),
)  # fmt: skip
_OTHERS = (
    (b"\x80\x02", "a Python pickle, which could run code and is never opened"),
    (b"\x80\x03", "a Python pickle, which could run code and is never opened"),
    (b"\x80\x04", "a Python pickle, which could run code and is never opened"),
    (b"\x80\x05", "a Python pickle, which could run code and is never opened"),
    (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"%PDF", "a PDF"), (b"\x7fELF", "a program"),
    (b"\x89HDF", "an HDF5 file (a model or data, not a log)"), (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ", "an xz archive; unpack it first"), (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
)  # fmt: skip


def identify(head: bytes, name: str, source: str) -> str:
    """The reader for a file, from its first bytes, and from its name where these leave it open.

    >>> identify(b"step,loss\\n0,2.3\\n", "run.csv", "run.csv")
    'csv'
    """
    if not head:
        raise NotALogError(f"{source!r} is empty: nothing was logged, or the writer was killed before it wrote anything")
    for magic, reader in _MAGIC:
        if head.startswith(magic):
            return reader
    if looks_like_events(head):
        return "tensorboard"
    if "tfevents" in name:
        raise NotALogError(f"{source!r} is named like a TensorBoard event file but holds no whole event")
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise NotALogError(f"{source!r} is {what}, not a training log")
    decoder = Utf8()
    text = (decoder(head) + decoder.finish()).decode("utf-8", "replace")
    if not text.strip():
        raise NotALogError(f"{source!r} holds only blank lines: nothing was logged yet")
    controls = sum(ord(c) < 9 or 13 < ord(c) < 27 or c == "\ufffd" for c in text[:4096] if c != "\x08")
    if controls > 0.02 * min(len(text), 4096) + 1 or "\x00" in text[:4096]:
        raise NotALogError(f"{source!r} holds binary data of no format known here, not a training log")
    return _identify_text(text, name)


def _identify_text(text: str, name: str) -> str:
    start = text.lstrip()
    if start[0] == "{" or re.match(r"\[\s*([\[{\"]|-?\d[\d.eE+-]*\s*[,\]]|NaN|-?Infinity|null)", start):
        reader = _identify_json(start, name)
        if reader:
            return reader
    if looks_like_keras(text):
        return "keras text"
    lines = [line for line in text.splitlines()[:50] if line.strip() and not line.startswith("#")]
    if lines and sniff(lines[:2]) is not None:
        return "csv"
    plain = name.lower().removesuffix(".gz")
    if plain.endswith((".csv", ".tsv")) and not _has_record(text):
        raise NotALogError(f"{name!r} has no header of column names over rows of numbers, so it is no table of a training log")
    return "text"


def _identify_json(start: str, name: str) -> str:
    """ "json lines" where the first line is a whole object and more follow; "" when it only starts like JSON."""
    first, _, rest = start.partition("\n")
    try:
        record = json.loads(first)
    except RecursionError:
        return "json"
    except ValueError:
        if start[0] == "{" and re.match(r"\{\s*'", start):
            return ""  # a Python dictionary, as the Trainer prints it
        if re.match(r"\[\s*\d+\s*(,\s*\d+\s*)?\]\s*[A-Za-z]", start):
            return ""  # "[2,  2000] loss: 1.2": counters in brackets before the words of a text log
        return "json" if re.match(r'[\[{]\s*(["\[{\]}\d]|-|NaN|Inf|null|$)', start) else ""
    if not isinstance(record, dict):
        return "json"
    if "op_code" in record and "worker_id" in record:
        return "optuna"
    if rest.strip() or name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")) or name in ("result.json",):
        return "json lines"
    if any(isinstance(v, list | dict) for v in record.values()) or "_runtime" in record:
        return "json"
    known = [g.role for key in record if (g := guess(key))]
    return "json lines" if any(role.endswith(("loss", "accuracy")) for role in known) else "json"


def _has_record(text: str) -> bool:
    reader = PlainText("", "")
    reader.feed(text.encode() + b"\n")
    return reader.records > 0
