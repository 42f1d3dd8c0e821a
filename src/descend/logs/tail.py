"""Following a log while it grows: only what was appended is read again."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from descend.errors import DescendError
from descend.logs.assemble import to_trace
from descend.logs.collect import Raw, merge
from descend.logs.formats import NotALogError, identify
from descend.logs.opening import Found, Parser, combine, parser_for, unit_runs
from descend.logs.sources import MAX_RUNS, Unit, units
from descend.logs.stream import CHUNK, head, open_log, refusal
from descend.trace import Trace

__all__ = ["Follower", "follow"]


@dataclass
class _File:
    """What has been read of one growing file."""

    path: Path
    name: str
    parser: Parser | None = None
    kind: str = ""
    offset: int = 0
    #: Its size on disk when it was read: for a gzip file another number than the offset in what it unpacks to.
    size: int = 0
    identity: tuple[int, int] = (0, 0)
    #: Runs from before the file was rotated or truncated.
    earlier: list[Raw] = field(default_factory=list)


class Follower:
    """Reads a file or folder again and again, each time only what is new.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "run.csv"
    >>> _ = file.write_text("step,loss\\n0,43\\n")
    >>> follower = Follower(file)
    >>> follower.poll()[0].loss
    array([43.])
    >>> _ = file.open("a").write("1,14.56\\n2,7.2")
    >>> follower.poll()[0].loss
    array([43.  , 14.56])
    """

    def __init__(self, source: str | Path, *, map: Mapping[str, str] | None = None, limit: int = MAX_RUNS) -> None:
        self._source, self._map, self._limit = Path(source), map, limit
        self._files: dict[Path, _File] = {}
        self._whole: dict[Path, tuple[object, Found]] = {}

    def poll(self) -> list[Trace]:
        """Traces of the runs that grew since the last call; empty when nothing did."""
        grown: list[Trace] = []
        for unit in units(self._source, self._limit):
            try:
                found = self._unit(unit)
            except NotALogError:
                found = None  # nothing in it yet; it may come
            if found:
                traces = [to_trace(raw, self._map) if isinstance(raw, Raw) else raw for raw in found]
                grown += [trace for trace in traces if trace.columns]
        return grown

    def _unit(self, unit: Unit) -> Found | None:
        """The runs of a unit, or None when it did not change."""
        if unit.kind in ("mlflow", "refused"):
            return self._again(unit)
        changed = False
        for path in unit.paths:
            file = self._files.setdefault(path, _File(path, unit.name))
            changed |= self._grow(file)
            if file.kind and file.parser is None:
                return self._again(unit)
        if not changed:
            return None
        parts = {path: _runs(self._files[path]) for path in unit.paths}
        if unit.kind == "file":
            return [*next(iter(parts.values()))]
        folders: dict[Path, list[Raw]] = {}
        for path, runs in parts.items():
            folders.setdefault(path.parent, []).extend(runs)
        return [*combine(unit, folders)]

    def _again(self, unit: Unit) -> Found | None:
        """Formats that are read as a whole are read again when anything about their files changed."""
        stamp = [(p, s.st_size, s.st_mtime_ns) for p in _stamped(unit) if (s := _stat(p)) is not None]
        known = self._whole.get(unit.root)
        if known is not None and known[0] == stamp:
            return None
        try:
            found = unit_runs(unit)
        except DescendError:
            return None  # half-written: the next look may find it whole
        self._whole[unit.root] = (stamp, found)
        return found

    def _grow(self, file: _File) -> bool:
        """Read what was appended; True when there was something."""
        status = _stat(file.path)
        if status is None:
            return False
        identity = (status.st_dev, status.st_ino)
        if file.parser is not None and (identity != file.identity or status.st_size < file.size):
            file.earlier = _runs(file)
            file.parser, file.offset, file.size = None, 0, 0
        if status.st_size == file.size or (file.kind and file.parser is None and not file.earlier):
            return False
        file.identity = identity
        if file.parser is None and not self._start(file):
            return False
        return self._read(file, status.st_size)

    def _start(self, file: _File) -> bool:
        try:
            file.kind = identify(head(file.path), file.path.name, str(file.path))
        except NotALogError:
            return False
        file.parser = parser_for(file.kind, file.name, str(file.path))
        return file.parser is not None

    def _read(self, file: _File, size: int) -> bool:
        before, packed = file.offset, False
        try:
            with open_log(file.path) as stream:
                packed = isinstance(stream, gzip.GzipFile)
                stream.seek(file.offset)
                read = stream.read1 if isinstance(stream, gzip.GzipFile) else stream.read
                while block := read(CHUNK):
                    if file.parser is not None:
                        file.parser.feed(block)
                    file.offset += len(block)
        except EOFError:
            pass  # the end of a gzip file that is still being written
        except OSError as error:
            raise refusal(file.path, error) from None
        file.size = size if packed else file.offset
        return file.offset > before


def _runs(file: _File) -> list[Raw]:
    """The runs of a file, joined with those from before it was rotated."""
    runs = file.parser.runs() if file.parser is not None else []
    earlier = {raw.name: raw for raw in file.earlier}
    joined = [merge([earlier.pop(raw.name), raw]) if raw.name in earlier else raw for raw in runs]
    return [raw for raw in [*earlier.values(), *joined] if raw.series]


def _stamped(unit: Unit) -> list[Path]:
    if unit.kind == "refused":
        return [unit.root]
    if unit.kind == "mlflow":
        return sorted(p for p in unit.root.rglob("*") if p.is_file())
    return [*unit.paths, *(p.with_name(p.name + "-wal") for p in unit.paths)]


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def follow(
    source: str | Path,
    *,
    map: Mapping[str, str] | None = None,
    interval: float = 1.0,
    stop: Callable[[], bool] | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[list[Trace]]:
    """Yield the traces of the runs that grew, each whole and up to date, as often as the log grows.

    Looks every `interval` seconds until `stop()` is true; yields an empty list when nothing came, so that a caller can notice a
    log that fell silent. A rotated or truncated file is read from its start and joined to what came before it (where steps go
    back, the later branch is kept). A line that is still being written waits for its end. A log that does not exist yet is
    waited for.
    """
    follower = Follower(source, map=map)
    while stop is None or not stop():
        yield follower.poll() if Path(source).exists() else []
        sleep(interval)
