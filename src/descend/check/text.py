"""A report as calm text for a terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

from descend.check.verdict import Found, Report, Row

__all__ = ["columns", "line_of", "text"]

#: Names of quantities that a sentence may begin with, which keep their size.
SYMBOLS = {"lr", "eta", "prev", "lambd", "mu", "var", "trust", "alpha"}
_HEADS = {
    "right": "right",
    "dialect": "right, a dialect",
    "wrong": "wrong, here",
    "no_reference": "no reference",
    "could_not_run": "could not run",
}


def text(report: Report) -> str:
    """The whole answer."""
    parts = [_head(report)]
    if report.verdict == "wrong":
        parts += _wrong(report)
    elif report.message:
        parts.append(_wrapped(report.message, 2))
    if report.behaviour:
        parts.append("\n".join(["  What its behaviour shows", *(_item(b) for b in report.behaviour)]))
    if report.excluded:
        parts.append("\n".join(["  Excluded", *(_item(e) for e in report.excluded)]))
    if report.remarks:
        parts.append("\n".join(["  Also", *(_item(r) for r in report.remarks)]))
    parts += _foot(report)
    return "\n\n".join(parts)


def _head(report: Report) -> str:
    against = f"  checked as {report.title}" if report.title else ""
    return f"{report.target}{against}\n\n  {_HEADS[report.verdict]}"


def _wrong(report: Report) -> list[str]:
    parts = []
    if report.message:
        parts.append(_wrapped(report.message, 2))
    for i, mistake in enumerate(report.mistakes):
        number = f"{i + 1}. " if len(report.mistakes) > 1 else ""
        parts.append(_mistake(mistake, number))
    if report.rows:
        parts.append(f"  {report.place}\n" + _values(report.rows))
    tails = []
    for i, mistake in enumerate(report.mistakes):
        number = f" {i + 1}" if len(report.mistakes) > 1 else ""
        if mistake.consequence:
            tails.append(_labelled(f"In training{number}" if not number else f"Effect{number}", mistake.consequence))
        if mistake.expected:
            tails.append(_labelled(f"Fix{number}", mistake.expected))
    if tails:
        parts.append("\n".join(tails))
    parts += _sureness(report)
    return parts


def _mistake(mistake: Found, number: str) -> str:
    first = mistake.name.split(" ")[0].rstrip(",:")
    word = first == "a" or (len(first) > 1 and first.isalpha() and first.isascii() and first not in SYMBOLS)
    name = mistake.name[:1].upper() + mistake.name[1:] if word else mistake.name  # a symbol keeps its size
    written = [_wrapped(f"{number}{name}.", 2)]
    if mistake.yours:
        written += ["", *_hung("yours", mistake.yours), *_hung("should be", mistake.expected)]
    return "\n".join(written)


def _hung(label: str, equations: str) -> list[str]:
    """A label, and one equation a line beside it."""
    found = equations.split("; ")
    return [f"    {label if i == 0 else '':<11}{line}" for i, line in enumerate(found)]


def _sureness(report: Report) -> list[str]:
    if not report.mistakes or not report.alternatives:
        return []
    rows = [("; ".join(m.name for m in group), group[0].confidence) for group in report.alternatives]
    also = "\n".join(_item(f"{name}: {share:.0%}") for name, share in rows)
    return [
        f"  It could as well be (the same numbers follow; what is named above: {report.mistakes[0].confidence:.0%})\n{also}"
    ]


def _values(rows: Sequence[Row]) -> str:
    cells = [["", "expected", "yours", "largest difference"]]
    for row in rows:
        differs = "" if row.difference == 0 else f"{row.difference:.3g}"
        cells.append([row.name, f"{row.expected:.6g}", f"{row.yours:.6g}", differs])
    return columns(cells, left=1, margin=4)


def columns(cells: Sequence[Sequence[str]], left: int, margin: int = 2) -> str:
    """Cells in columns, the first `left` of them to the left, the others to the right."""
    widths = [max(len(_bare(row[i])) for row in cells) for i in range(len(cells[0]))]
    lines = []
    for row in cells:
        padded = []
        for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - len(_bare(cell)))
            padded.append(cell + space if i < left else space + cell)
        lines.append((" " * margin + "   ".join(padded)).rstrip())
    return "\n".join(lines)


def _bare(cell: str) -> str:
    return cell.replace("\u0302", "")


def _foot(report: Report) -> list[str]:
    told = []
    if report.difference is not None and report.verdict in ("right", "dialect", "wrong"):
        equal = (
            f"equal to {max(report.difference, 1e-16):.0e} of the largest displacement"
            if report.difference
            else "equal to the last bit or rounding"
        )
        whom = {"right": "it", "dialect": "that form", "wrong": "this mistake"}[report.verdict]
        told.append(_labelled("Evidence", f"{report.probes} probes in float64; {whom} fits: {equal}."))
    if report.mapping:
        told.append(_labelled("Arguments", report.mapping))
    if report.driven:
        told.append(_labelled("Driven as", report.driven))
    if report.printed.strip():
        first = report.printed.strip().splitlines()
        more = f" … ({len(first)} lines or more)" if len(first) > 1 else ""
        told.append(_labelled("It printed", first[0][:80] + more))
    return ["\n".join(told)] if told else []


def _labelled(label: str, said: str) -> str:
    return _wrapped(f"{label:<13}{said}", 2, 15)


def _item(said: str) -> str:
    return _wrapped(f"· {said}", 4, 6)


def _wrapped(said: str, indent: int, hang: int | None = None) -> str:
    width = max(60, min(100, shutil.get_terminal_size((100, 24)).columns))
    rest = " " * (indent if hang is None else hang)
    return textwrap.fill(
        said, width, initial_indent=" " * indent, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def line_of(report: Report) -> list[str]:
    """Name, verdict and a few words: one line of a table."""
    words = report.message or "; ".join(m.name for m in report.mistakes)
    if report.verdict == "wrong":
        words = "; ".join(m.name for m in report.mistakes) or report.message
    elif report.verdict == "right":
        words = f"{report.dialect}"
    return [report.target, report.verdict.replace("_", " "), words if len(words) <= 110 else words[:109] + "…"]
