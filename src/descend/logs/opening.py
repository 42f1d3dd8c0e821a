"""A reader for every file, and the runs of a unit put together from its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from descend.errors import DescendError
from descend.logs import records
from descend.logs.collect import Raw, merge
from descend.logs.delimited import Delimited
from descend.logs.formats import NotALogError, identify
from descend.logs.mlflow import flat_yaml, folder_run, setting
from descend.logs.roles import guess
from descend.logs.sources import Unit
from descend.logs.stream import Progress, blocks, head, read_small, refusal
from descend.logs.tensorboard import Events
from descend.logs.text import KerasText, PlainText
from descend.trace import Trace

__all__ = ["Parser", "combine", "file_runs", "parser_for", "stream_runs", "unit_runs"]

Found = list[Raw | Trace]
_VAL_FOLDER = re.compile(r"^(val|valid|validation|eval|evaluation|test|dev)$", re.IGNORECASE)


class Parser(Protocol):
    """Reads a format piece by piece."""

    def feed(self, data: bytes) -> None:
        """Append a piece of the file."""

    def finish(self) -> None:
        """The file has ended."""

    def runs(self) -> list[Raw]:
        """The runs so far."""


def parser_for(kind: str, name: str, source: str) -> Parser | None:
    """The piecewise reader of a format, or None for one that is read as a whole."""
    if kind == "w&b offline":
        from descend.logs.wandb import Wandb

        return Wandb(name, source)
    if kind == "optuna":
        from descend.logs.optuna import Journal

        return Journal(name, source)
    makers: dict[str, Callable[[str, str], Parser]] = {
        "tensorboard": Events,
        "csv": Delimited,
        "json lines": records.JsonLines,
        "text": PlainText,
        "keras text": KerasText,
    }
    return makers[kind](name, source) if kind in makers else None


def file_runs(path: Path, name: str, progress: Progress | None = None) -> Found:
    """The runs in one file."""
    source = str(path)
    kind = identify(head(path), path.name, source)
    parser = parser_for(kind, name, source)
    if parser is None:
        return _whole(kind, path, name, source)
    found = _fed(parser, blocks(path, progress), source)
    if path.name == "metrics.csv":
        for raw in found:
            if isinstance(raw, Raw):
                raw.hyperparameters |= {k: setting(v) for k, v in flat_yaml(path.with_name("hparams.yaml")).items() if v}
    return found


def stream_runs(stream: BinaryIO, progress: Progress | None = None) -> Found:
    """The runs in what standard input brings."""
    start = b""
    pieces = blocks(stream, progress)
    for piece in pieces:
        start += piece
        if len(start) >= 1 << 16:
            break
    if start[:2] == b"\x1f\x8b":
        raise DescendError("standard input is gzipped: pipe it through gunzip first")
    kind = identify(start, "-", "-")
    parser = parser_for(kind, "stdin", "-")
    if parser is not None:
        return _fed(parser, _chain(start, pieces), "-")
    if kind == "json":
        found = records.document(start + b"".join(pieces), "stdin", "-")
        return [found] if isinstance(found, Trace) else [*found]
    raise DescendError(f"{kind} cannot be read from standard input; name the file instead")


def _chain(start: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from pieces


def _fed(parser: Parser, pieces: Iterator[bytes], source: str) -> Found:
    for piece in pieces:
        parser.feed(piece)
    parser.finish()
    found = [raw for raw in parser.runs() if raw.series or raw.hyperparameters]
    if not found:
        raise NotALogError(f"{source!r} holds no scalar values yet")
    return [*found]


def _whole(kind: str, path: Path, name: str, source: str) -> Found:
    """Formats that need random access or the whole document."""
    if kind == "sqlite":
        from descend.logs.databases import database_runs

        return [*database_runs(path, source)]
    if kind == "parquet":
        from descend.logs.parquet import parquet_runs

        return [*parquet_runs(path, name, source)]
    if kind == "npz":
        return [records.load_trace(path, source)]
    found = records.document(read_small(path), name, source)
    return [found] if isinstance(found, Trace) else [*found]


def unit_runs(unit: Unit, progress: Progress | None = None) -> Found:
    """The runs of a unit."""
    if unit.kind == "mlflow":
        return [folder_run(unit.root, unit.name)]
    if unit.kind == "refused":
        raise refusal(unit.root, PermissionError())
    if unit.kind == "file":
        return file_runs(unit.paths[0], unit.name, progress)
    parts: dict[Path, list[Raw]] = {}
    problems: list[str] = []
    empty: list[str] = []
    for path in unit.paths:
        try:
            found = file_runs(path, unit.name, progress)
            parts.setdefault(path.parent, []).extend(r for r in found if isinstance(r, Raw))
        except NotALogError as error:
            empty.append(str(error))
        except DescendError as error:
            problems.append(str(error))
    runs = combine(unit, parts)
    if not runs:
        raise DescendError((problems + empty)[0] if problems or empty else f"{str(unit.root)!r} holds no scalar values yet")
    for raw in runs:
        for problem in problems:
            raw.note(problem)
    return [*runs]


# -- TensorBoard's folders -----------------------------------------------------------------------------------------------


def combine(unit: Unit, found: Mapping[Path, list[Raw]]) -> list[Raw]:
    """The runs of a cluster of event folders: files of one folder are one run, and sub-run folders join their run.

    `add_scalars` writes a folder per curve, `add_hparams` one named by the time, Keras one for train and one for validation.
    """
    merged = {folder: merge(parts) for folder, parts in found.items() if parts}
    top = merged.pop(unit.root, None)
    if top is None and any(path.parent == unit.root for path in unit.paths):
        top = Raw(unit.name, str(unit.root), "tensorboard", axis_name="step")
    rest: dict[str, Raw] = {}
    for folder, raw in sorted(merged.items()):
        whole = top or rest.get("")
        label = folder.name
        joined = _join(label, raw, split_only=top is None)
        if joined is None:
            raw.name = f"{unit.name}/{label}" if folder != unit.root else unit.name
            rest[label] = raw
            continue
        if whole is None:
            whole = rest[""] = Raw(unit.name, str(unit.root), "tensorboard", axis_name="step")
        whole.hyperparameters |= raw.hyperparameters
        for sentence in raw.notes:
            whole.note(sentence)
        for name, points in joined.items():
            if name.startswith("hparam/"):  # the result that add_hparams files beside the settings: no curve
                whole.config.setdefault("summary", {})[name] = float(raw.series[points].arrays()[1][-1])
            elif name not in whole.series:
                whole.add(name, *raw.series[points].arrays())
        if joined:
            whole.note("curves in sub-run folders are read as one run")
    runs = [raw for raw in ([top] if top else []) + list(rest.values()) if raw.series]
    for raw in runs:
        raw.source = str(unit.root) if raw is top or raw is rest.get("") else raw.source
    return runs


def _join(label: str, raw: Raw, split_only: bool) -> dict[str, str] | None:
    """New name -> old name of the curves that a sub-run folder adds to its run; None when it is a run of its own."""
    tags = list(raw.series)
    if _VAL_FOLDER.match(label):
        return {t if (g := guess(t)) and g.role.startswith("val_") else f"val/{t}": t for t in tags}
    if re.fullmatch(r"train(ing)?", label, re.IGNORECASE):
        return {t: t for t in tags}
    if split_only:
        return None
    if re.match(r"^\d{9,}\.\d+", label):
        return {t: t for t in tags}
    if len(tags) == 1 and label.startswith(tags[0].replace("/", "_") + "_"):
        return {f"{tags[0]}/{label[len(tags[0]) + 1 :]}": tags[0]}
    return None
