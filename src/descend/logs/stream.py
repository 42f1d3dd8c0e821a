"""Bytes in: files, folders' files, standard input; gzip and UTF-16 undone; every failure one sentence."""

from __future__ import annotations

import codecs
import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from descend.errors import DescendError

__all__ = ["CHUNK", "HEAD", "Progress", "UnreadableError", "Utf8", "blocks", "head", "open_log", "read_small", "refusal"]

CHUNK = 8 << 20
HEAD = 1 << 16
#: Called with a path, the bytes read so far and the bytes in all (0 when unknown).
Progress = Callable[[str, int, int], object]


class UnreadableError(DescendError):
    """A file that the operating system does not let be read: in a folder it is reported, not passed over."""


def refusal(path: object, error: BaseException) -> DescendError:
    """The sentence for an operating system's refusal."""
    if isinstance(error, FileNotFoundError):
        return DescendError(f"there is no file or folder {str(path)!r}")
    if isinstance(error, PermissionError):
        return UnreadableError(f"permission denied: {str(path)!r} cannot be read by this user")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return UnreadableError(f"{str(path)!r} could not be read: {reason}")


def open_log(path: Path) -> BinaryIO | gzip.GzipFile:
    """Open a log for reading; gzip is undone. Fifos, sockets and devices are refused, for reading one may never end."""
    try:
        if path.exists() and not path.is_file():
            raise DescendError(f"{str(path)!r} is neither a file nor a folder; pipe it in and read '-' instead")
        file = path.open("rb")
        if file.read(2) == b"\x1f\x8b":
            file.close()
            return gzip.GzipFile(path, "rb")
        file.seek(0)
        return file
    except OSError as error:
        raise refusal(path, error) from None


def head(path: Path, size: int = HEAD) -> bytes:
    """The first bytes of a log, gzip undone."""
    with open_log(path) as file:
        return b"".join(_until(file, size, path))


def blocks(source: Path | BinaryIO, progress: Progress | None = None, start: bytes = b"") -> Iterator[bytes]:
    """The log in chunks of a few MB, `start` first; a gzip file cut short gives what it has."""
    if start:
        yield start
    if not isinstance(source, Path):
        yield from _counted(source, "-", 0, progress)
        return
    with open_log(source) as file:
        yield from _counted(file, source, source.stat().st_size if not isinstance(file, gzip.GzipFile) else 0, progress)


def _counted(file: BinaryIO | gzip.GzipFile, path: object, total: int, progress: Progress | None) -> Iterator[bytes]:
    done = 0
    while True:
        try:
            block = file.read(CHUNK) if not isinstance(file, gzip.GzipFile) else b"".join(_until(file, CHUNK, path))
        except OSError as error:
            raise refusal(path, error) from None
        if not block:
            return
        done += len(block)
        if progress is not None:
            progress(str(path), done, total)
        yield block


def _until(file: BinaryIO | gzip.GzipFile, size: int, path: object) -> Iterator[bytes]:
    """Up to `size` bytes in small pieces: a gzip file whose end is cut or damaged still gives what comes before."""
    read = file.read1 if isinstance(file, gzip.GzipFile) else file.read  # read() would drop what comes before the cut
    while size > 0:
        try:
            piece = read(min(size, 1 << 14))
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return
        except OSError as error:
            raise refusal(path, error) from None
        if not piece:
            return
        size -= len(piece)
        yield piece


def read_small(path: Path, limit: int = 256 << 20) -> bytes:
    """A whole file that has to be parsed in one piece, refused beyond `limit`."""
    parts, size = [], 0
    for block in blocks(path):
        size += len(block)
        if size > limit:
            raise DescendError(
                f"{str(path)!r} is larger than {limit >> 20} MB, too large to parse in one piece; save it as JSON lines"
            )
        parts.append(block)
    return b"".join(parts)


def standard_input() -> BinaryIO:
    """Standard input as bytes."""
    return sys.stdin.buffer


class Utf8:
    """Turns chunks of text bytes into UTF-8 without a byte order mark; PowerShell redirects write UTF-16."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = None
        self._started = False
        self._held = b""

    def __call__(self, data: bytes) -> bytes:
        if not self._started:
            data = self._held + data
            if len(data) < 3:
                self._held = data
                return b""
            self._started, self._held = True, b""
            if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
            elif data[:3] == codecs.BOM_UTF8:
                data = data[3:]
        return data if self._decoder is None else self._decoder.decode(data).encode()

    def finish(self) -> bytes:
        """What was held back because it was too short to judge."""
        held, self._held = self._held, b""
        return held
