"""Write docs/mistakes.md from the catalogue of known mistakes and the table of dialects.

python scripts/make_mistakes.py           # write
python scripts/make_mistakes.py --check   # exit 1 if the file is not what would be written
"""

from __future__ import annotations

import sys
from pathlib import Path

from descend.check.classes import classes
from descend.check.dialects import DIALECTS, HOMES
from descend.check.mistakes import catalogue, mistakes_of
from descend.equations import lines
from descend.rules import OPTIMIZERS

PLACE = Path(__file__).parent.parent / "docs" / "mistakes.md"

HEAD = """# A field guide to optimizer bugs

<!-- Written by scripts/make_mistakes.py from the code: change the code, not this page. -->

{count} known mistakes in {rules} optimizers. Each is the right rule with one equation changed, and each is told from the others
by how the parameters move: `descend check my_adam.py:Adam --as adam` names the one that is in your code. The equation that
should be there is the fix.

Mistakes that show after hundreds of steps stand last in each table. What is in no table is looked for among all rules that
differ in one place (a term, a factor, a name, the order of two lines) and named by that edit.

The confidence of a name is its share among all explanations that fit every probe, with room left for what nobody has listed: a
fifth, halved for each probe that parts from the right rule. Two mistakes weigh a twentieth of one, an edit in no table three
tenths of one that is. It is 1 where a thing was seen and not inferred, such as a gradient that was changed, and 0.3 where an
equation is contradicted and no explanation fits.
"""


def page() -> str:
    """The whole page."""
    rules = [r for r in OPTIMIZERS if mistakes_of(r)]
    parts = [HEAD.format(count=len(catalogue()), rules=len(rules)), _contents(rules)]
    return "\n".join([*parts, *(_section(rule) for rule in rules)]).rstrip() + "\n"


def _contents(rules: list[str]) -> str:
    return ", ".join(f"[{OPTIMIZERS[r].title}](#{r})" for r in rules) + "\n"


def _section(rule: str) -> str:
    written = [
        f"## {rule}",
        "",
        f"{OPTIMIZERS[rule].title}, as in {HOMES[rule]}:",
        "",
        "```text",
        *lines(OPTIMIZERS[rule]),
        "```",
        "",
    ]
    if rule in DIALECTS:
        written += ["Dialects, which are not mistakes:", "", *(f"- {d.source}: {d.sentence}." for d in DIALECTS[rule]), ""]
    rows = [["what was done", "should be", "is", "what happens in training"], ["---"] * 4]
    rows += [
        [_capital(m.name), _code(m.expected), _code(m.yours), m.consequence]
        for m in (*mistakes_of(rule), *mistakes_of(rule, late=True))
    ]
    written += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    same = classes(rule)
    if same:
        written += ["", "The same in other words, so that no gradient can tell them apart:", ""]
        written += [f"- {'; '.join(group)}" for group in same]
    return "\n".join([*written, ""])


def _code(equations: str) -> str:
    return "<br>".join(f"`{line}`" for line in equations.split("; "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


def main() -> int:
    """Write the page, or say whether it is up to date."""
    if "--check" in sys.argv[1:]:
        fresh = PLACE.exists() and PLACE.read_text(encoding="utf-8") == page()
        print("docs/mistakes.md is up to date" if fresh else "docs/mistakes.md is stale: run python scripts/make_mistakes.py")
        return 0 if fresh else 1
    PLACE.write_text(page(), encoding="utf-8")
    print(f"wrote {PLACE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
