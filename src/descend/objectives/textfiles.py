"""Bytes to text: files, standard input, gzip, encodings, and what is no text at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from descend.errors import DescendError

__all__ = ["LONGEST", "blocks", "opened", "shown"]

#: Characters read at a time, and characters a line (or a quoted cell over many lines) may have.
BLOCK, LONGEST = 1 << 20, 1 << 25
#: Files that are no text, by how they begin.
KINDS = {
    b"PK": "a zip archive or a spreadsheet (save it as CSV)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file (write it as CSV)",
    b"\x89HDF": "an HDF5 file (write it as CSV)",
    b"\x93NUMPY": "a NumPy array (load it with numpy and give the arrays to ds.fit)",
    b"SQLite format": "a SQLite database",
    b"BZh": "compressed with bzip2 (gzip is read; unpack others)",
    b"\xfd7zXZ": "compressed with xz (gzip is read; unpack others)",
}


def opened(source: str | os.PathLike[str] | IO[bytes], stack: contextlib.ExitStack) -> tuple[str, io.TextIOBase]:
    """A name to speak of it, and the text."""
    raw: Any
    if isinstance(source, str | os.PathLike):
        if str(source) == "-":
            name, raw = "standard input", sys.stdin.buffer
        else:
            name = str(source)
            try:
                raw = Path(source).open("rb")  # noqa: SIM115  (closed by the stack)
                stack.enter_context(raw)
            except FileNotFoundError:
                raise DescendError(f"there is no file {name!r}") from None
            except IsADirectoryError:
                raise DescendError(f"{name!r} is a folder; name a file in it") from None
            except (OSError, ValueError) as error:
                raise DescendError(f"could not open {name!r}: {getattr(error, 'strerror', None) or error}") from None
    else:
        name, raw = str(getattr(source, "name", "the data")), source
    stream: io.BufferedReader[Any] = io.BufferedReader(raw, 1 << 16)
    stack.callback(stream.detach)  # what was given open stays open
    try:
        if stream.peek(2)[:2] == b"\x1f\x8b":
            stream = io.BufferedReader(gzip.GzipFile(fileobj=stream), 1 << 16)
        start = stream.peek(1 << 16)
    except (OSError, EOFError, zlib.error):
        raise DescendError(f"{name} is a damaged gzip file; nothing was read") from None
    encoding = _encoding(name, start)
    return name, io.TextIOWrapper(stream, encoding, errors="strict" if encoding == "utf-16" else "surrogateescape")


def _encoding(name: str, start: bytes) -> str:
    if not start:
        raise DescendError(f"{name} is empty: it needs a header and rows of numbers")
    for magic, kind in KINDS.items():
        if start.startswith(magic):
            raise DescendError(f"{name} is not a text table: it looks like {kind}")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    odd = sum(count for byte, count in Counter(start).items() if byte < 32 and byte not in b"\t\n\r\f\x1a")
    if b"\0" in start or odd > 0.02 * len(start):
        raise DescendError(f"{name} is not a text table: it holds binary data")
    return "utf-8-sig"


def shown(cell: str) -> str:
    """A cell as people can read it: stripped, Latin bytes as letters, cut to 40 characters."""
    text = cell.strip().encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    if any("\udc80" <= c <= "\udcff" for c in text):
        text = text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return text if len(text) <= 40 else text[:39] + "…"


def blocks(name: str, text: io.TextIOBase) -> Iterator[str]:
    """Text in pieces of whole lines in which every quote that opens is closed."""
    rest, line = "", 1
    while chunk := text.read(BLOCK):
        rest += chunk
        cut = rest.rfind("\n") + 1
        if cut and rest.count('"', 0, cut) % 2 == 0:
            yield rest[:cut]
            line += rest.count("\n", 0, cut)
            rest = rest[cut:]
        elif len(rest) > LONGEST:
            what = "a quoted cell that is never closed" if '"' in rest else "a line of more than 30 million characters"
            raise DescendError(f"{name} has {what} after line {line}; is it a table?")
    if rest:
        yield rest
