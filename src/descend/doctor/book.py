"""The doctor's book as Markdown: `python -m descend.doctor.book docs/doctor.md` rewrites the generated part of that page."""

from __future__ import annotations

import sys
from pathlib import Path

from descend.doctor.examine import CONDITIONS
from descend.doctor.scorer import FAMILIES
from descend.errors import DescendError

__all__ = ["book", "rewritten"]

BEGIN, END = "<!-- generated: conditions -->", "<!-- end of generated -->"
KINDS = {"fault": "fault", "healthy": "healthy", "note": "remark"}


def book() -> str:
    """A table of all conditions, the families of equivalents, and each entry in full.

    >>> "lr-too-high" in book()
    True
    """
    rows = ["| code | what | kind | severity | needs |", "|---|---|---|---|---|"]
    for c in CONDITIONS.values():
        needs = ", ".join(need.replace("|", " or ") for need in c.needs)
        rows.append(f"| [`{c.code}`](#{c.code}) | {c.name} | {KINDS[c.kind]} | {c.severity} | {needs} |")
    families = ["", "Families of equivalents (a log may be unable to separate their members):", ""]
    families += [f"- {name}: {', '.join(f'`{code}`' for code in codes)}" for name, codes in FAMILIES.items() if len(codes) > 1]
    entries: list[str] = []
    for c in CONDITIONS.values():
        entries += ["", f"### {c.code}", "", c.essay]
        if c.confusable:
            entries += ["", *(f"- not `{code}`: {why}." for code, why in c.confusable.items())]
    return "\n".join([*rows, *families, *entries])


def rewritten(text: str) -> str:
    """A page with its generated part brought up to date."""
    if BEGIN not in text or END not in text:
        raise DescendError(f"the page needs the lines {BEGIN} and {END} around its generated part")
    head, rest = text.split(BEGIN, 1)
    return f"{head}{BEGIN}\n\n{book()}\n\n{END}{rest.split(END, 1)[1]}"


def main() -> None:
    path = Path(sys.argv[1])
    path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
