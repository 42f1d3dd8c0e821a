"""Write docs/optimizers.md from the registry: equations, hyperparameters, state, sources, schedules, the way to choose.

python scripts/make_docs.py           # write
python scripts/make_docs.py --check   # exit 1 if the file is not what would be written
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import descend.optimizers  # noqa: F401  (fills the registry)
from descend import choose
from descend.equations import lines
from descend.hyperparameters import COMMON, Hyperparameter
from descend.rules import OPTIMIZERS, Rule
from descend.schedules import SCHEDULES

PLACE = Path(__file__).parent.parent / "docs" / "optimizers.md"

HEAD = """# Optimizers

<!-- Written by scripts/make_docs.py from the code: change the code, not this page. -->

Every optimizer is one function on one array, and everything here is read from it. State is bytes per parameter in float32
for a large matrix. `descend optimizers NAME` shows the same in a terminal.

Not here: L-BFGS (SciPy's serves as a reference), Sophia (it needs a Hessian), SparseAdam (not dense).
"""

GROUPS = """## Parameter groups

Several optimizers in one descent, each on the arrays its label names; hyperparameters are reached as `group.name`:

```python
import descend as ds

opt = ds.groups(lambda p: "hidden" if p.ndim == 2 else "rest", hidden=ds.muon(lr=0.02), rest=ds.adamw(lr=3e-4))
```
"""


def page() -> str:
    """The whole page."""
    rules = list(OPTIMIZERS.values())
    parts = [HEAD, _overview(rules), _choosing(), *(_section(rule) for rule in rules), _common(), GROUPS, _schedules()]
    return "\n".join(parts)


def _overview(rules: list[Rule]) -> str:
    rows = [[f"[`{r.name}`](#{r.name})", r.title, f"{_state(r)} B", r.usual_lr, r.fixes.split(":")[0]] for r in rules]
    return _table(["name", "", "state", "usual rate", "what it fixes"], rows)


def _choosing() -> str:
    return "\n".join(["## Choosing: what is in the way?", "", *_branches(choose.FIRST, 0), ""])


def _branches(question: choose.Question, depth: int) -> list[str]:
    written = []
    for label, then in question.answers:
        start = "  " * depth + f"- {label}"
        if isinstance(then, choose.Question):
            written += [f"{start}. {then.text}", *_branches(then, depth + 1)]
        else:
            options = "".join(f" {key}={value}" for key, value in then.settings)
            written.append(f"{start}: [`{then.name}`](#{then.name}){options}, {then.because}")
    return written


def _section(rule: Rule) -> str:
    told = [
        f"- **What it fixes.** {rule.fixes}",
        f"- **When not.** {rule.avoid}",
        f"- **Usual rate.** {rule.usual_lr}.",
        f"- **State.** {_state(rule)} bytes per parameter.",
        f"- **Convention.** {rule.convention}.",
        *([f"- **Dialects.** {rule.dialects.removeprefix('Dialects: ').removeprefix('Dialect: ')}"] if rule.dialects else []),
        f"- **Source.** {rule.paper}.",
    ]
    equations = ["```text", *lines(rule), "```"]
    knobs = _knobs(rule.hyperparameters.values())
    return "\n".join([f"## {rule.name}", "", f"**{rule.title}.** {rule.summary}", "", *equations, "", knobs, *told, ""])


def _knobs(hyperparameters: object) -> str:
    rows = [[f"`{h.name}`", _default(h), _range(h), h.meaning] for h in hyperparameters]  # type: ignore[attr-defined]
    return _table(["hyperparameter", "default", "range", "what it is"], rows)


def _default(h: Hyperparameter) -> str:
    return f"{h.default:g}" if isinstance(h.default, float) else str(h.default)


def _range(h: Hyperparameter) -> str:
    if isinstance(h.default, bool):
        return "True, False"
    if h.choices:
        return ", ".join(h.choices)
    if h.bounds is None:
        return "any"
    low, high, low_in, high_in = h.bounds
    ends = [f"{x:g}".replace("inf", "∞") for x in (low, high)]
    return f"{'[' if low_in else '('}{ends[0]}, {ends[1]}{']' if high_in else ')'}"


def _state(rule: Rule) -> str:
    each = rule.state_bytes(rule().hyperparameters, 4, (1024, 1024)) / 2**20
    return f"{each:g}" if each == int(each) else f"{each:.2g}"


def _common() -> str:
    order = "Around any rule, in this order: maximize, clip, decay."
    mask = "`mask` spares arrays from the decay: a tree of booleans like the parameters, or a test of one array."
    return "\n".join(["## Options of every optimizer", "", order, mask, "", _knobs(COMMON.values())])


def _schedules() -> str:
    rows = []
    for name, make in SCHEDULES.items():
        arguments = ", ".join(
            n if p.default is p.empty else f"{n}={p.default}" for n, p in inspect.signature(make).parameters.items()
        )
        summary = (make.__doc__ or "").strip().split("\n")[0]
        rows.append([f"`{name}({arguments})`", summary])
    text = "Any float hyperparameter may follow one, in Python as on the command line: `lr=cosine(0.1, steps=1000)`."
    return (
        "\n".join(["## Schedules", "", text, "The first update has step 0.", "", _table(["schedule", ""], rows)]).rstrip()
        + "\n"
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    cells = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells) + "\n"


def main() -> int:
    """Write the page, or say whether it is up to date."""
    if "--check" in sys.argv[1:]:
        fresh = PLACE.exists() and PLACE.read_text(encoding="utf-8") == page()
        print("docs/optimizers.md is up to date" if fresh else "docs/optimizers.md is stale: run python scripts/make_docs.py")
        return 0 if fresh else 1
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(page(), encoding="utf-8")
    print(f"wrote {PLACE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
