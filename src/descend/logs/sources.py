"""What there is to read: a file, or the runs inside a folder, each with the files that belong to it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from descend.errors import DescendError
from descend.logs.stream import refusal

__all__ = ["MAX_RUNS", "Unit", "units"]

MAX_RUNS = 1000
MAX_ENTRIES = 200_000
_SUFFIXES = {".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".log", ".txt", ".out", ".npz", ".parquet", ".db", ".sqlite"}
_SUFFIXES |= {".sqlite3", ".wandb", ".journal"}
_SURE = re.compile(r"tfevents|\.wandb$|^trainer_state\.json$|^metrics\.csv$|^result\.json$|^progress\.csv$")
_PASSED_OVER = {".git", "__pycache__", "node_modules", ".venv", "venv", ".trash", "site-packages", ".ipynb_checkpoints"}
_TRAIN = {"train", "training"}
_VAL = {"val", "valid", "validation", "eval", "evaluation", "test", "dev"}


@dataclass(frozen=True)
class Unit:
    """Files that are read together."""

    kind: str  # "file", "tensorboard", "mlflow", or "refused" for a folder that may not be read
    name: str
    root: Path
    paths: tuple[Path, ...]
    #: Whether the name alone says that it is a log: then a failure to read it is reported, not passed over.
    sure: bool = False


def units(source: Path, limit: int = MAX_RUNS) -> list[Unit]:
    """The units inside a file or folder, in order of their names; too many are refused, never cut short in silence."""
    try:
        if source.is_dir():
            return _folder(source, limit)
        if not source.exists():
            raise DescendError(f"there is no file or folder {str(source)!r}")
    except OSError as error:
        raise refusal(source, error) from None
    return [Unit("file", source.name, source, (source,), True)]


def _folder(root: Path, limit: int) -> list[Unit]:
    found: list[Unit] = []
    events: dict[Path, list[Path]] = {}
    states: dict[Path, list[Path]] = {}
    for folder, files in _walk(root):
        if not isinstance(files, list):
            found.append(Unit(files, _name(folder, root), folder, (folder,), True))
            continue
        names = {file.name for file in files}
        wandb = any(name.endswith(".wandb") for name in names)
        tensorboard = {file for file in files if "tfevents" in file.name}
        if tensorboard and not {"result.json", "params.json"} <= names:
            events[folder] = sorted(tensorboard, key=lambda p: p.name)
        for file in files:
            if file.name == "trainer_state.json":
                top = folder.parent if re.fullmatch(r"checkpoint-\d+", folder.name) else folder
                states.setdefault(top, []).append(file)
            elif file not in tensorboard and _wanted(file, names, wandb):
                found.append(Unit("file", _name(file, root), file, (file,), bool(_SURE.search(file.name))))
        if len(found) + len(events) > limit:
            raise DescendError(f"{str(root)!r} holds more than {limit} logs; name a folder inside it, or some of the files")
    found += [Unit("file", _name(top, root), top, (_latest(paths),), True) for top, paths in states.items()]
    found += [_cluster(root, top, members, events) for top, members in _clusters(events).items()]
    return sorted(found, key=lambda u: _natural(u.name))


def _walk(root: Path) -> Iterator[tuple[Path, list[Path] | str]]:
    """Folders and their files, or the kind of a folder that is one unit (an MLflow run, a refused one). Links count once."""
    waiting, seen, entries = [root], set(), 0
    while waiting:
        folder = waiting.pop()
        try:
            real = os.path.realpath(folder)
            if real in seen:
                continue
            seen.add(real)
            listed = []
            with os.scandir(folder) as scan:
                for entry in scan:
                    entries += 1
                    if entries > MAX_ENTRIES:
                        raise DescendError(f"{str(root)!r} holds more than {MAX_ENTRIES} files; name a folder inside it")
                    listed.append((entry.name, _is(entry.is_dir), _is(entry.is_file)))
        except OSError as error:
            if folder == root:
                raise refusal(folder, error) from None
            yield folder, "refused"
            continue
        files = [folder / name for name, _, is_file in listed if is_file]
        folders = [folder / name for name, is_folder, _ in listed if is_folder and name not in _PASSED_OVER]
        if any(f.name == "meta.yaml" for f in files) and any(f.name == "metrics" for f in folders):
            yield folder, "mlflow"
            continue
        if any(f.name.endswith(".wandb") for f in files):
            folders = []  # beside a W&B run lie copies of its settings and its console, no further runs
        yield folder, files
        waiting += sorted(folders, reverse=True)


def _is(kind: Callable[[], bool]) -> bool:
    """What an entry is; a link that leads in circles is nothing."""
    try:
        return kind()
    except OSError:
        return False


def _wanted(file: Path, beside: set[str], wandb: bool) -> bool:
    """Whether a file's name lets it be a log, and no better copy of the same log (a W&B run's, say) lies beside it."""
    name = file.name.lower()
    if name == "meta.yaml" or (name == "progress.csv" and "result.json" in beside):
        return False
    if wandb:
        return name.endswith(".wandb")
    if "params.json" in beside and "result.json" in beside:
        return name == "result.json"
    return Path(name.removesuffix(".gz")).suffix in _SUFFIXES


def _latest(paths: list[Path]) -> Path:
    """Of a Trainer's checkpoints, each with the history so far, the one that was written last."""

    def order(path: Path) -> tuple[int, int]:
        number = re.search(r"checkpoint-(\d+)$", path.parent.name)
        return (0, int(number[1])) if number else (1, 0)

    return max(paths, key=order)


def _clusters(events: dict[Path, list[Path]]) -> dict[Path, list[Path]]:
    """Event folders that may be one run: a folder with those right below it; train beside validation."""
    clusters: dict[Path, list[Path]] = {}
    for folder in sorted(events):
        parent = folder.parent
        if parent in events and parent in clusters:
            clusters[parent].append(folder)
        elif folder.name.lower() in _TRAIN | _VAL and _is_split(parent, events):
            clusters.setdefault(parent, []).append(folder)
        else:
            clusters.setdefault(folder, []).append(folder)
    return clusters


def _is_split(parent: Path, events: dict[Path, list[Path]]) -> bool:
    names = {folder.name.lower() for folder in events if folder.parent == parent}
    return bool(names & _TRAIN) and bool(names & _VAL)


def _cluster(root: Path, top: Path, members: list[Path], events: dict[Path, list[Path]]) -> Unit:
    paths = [path for member in members for path in events[member]]
    return Unit("tensorboard", _name(top, root), top, tuple(paths), True)


def _name(path: Path, root: Path) -> str:
    relative = os.path.relpath(path, root)
    return root.resolve().name if relative == "." else relative.replace(os.sep, "/")


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts run-2 before run-10."""
    return [
        (0, int(part[:18]), "") if part[:1] in tuple("0123456789") else (1, 0, part) for part in re.split(r"([0-9]+)", name)
    ]
