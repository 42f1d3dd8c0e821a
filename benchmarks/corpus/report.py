"""Measure the doctor on the report programs and write docs/doctor-report.md: `python benchmarks/corpus/report.py CORPUS`.

`--split tune` measures on the tuning programs instead (what the forest was fitted on; for debugging only) and writes nothing.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import variety  # noqa: F401 - registers the drawn programs
from baselines import BASELINES
from features import family
from programs import PROGRAMS
from views import RICHNESS, load, rescale, views

from descend.doctor import diagnose

TARGET = Path(__file__).parents[2] / "docs" / "doctor-report.md"
SHOWN = tuple(RICHNESS)
#: Faults that only a validation curve can show: a column says how a log without one does on the others.
NEEDS_VALIDATION = {"overfitting", "distribution-shift", "wrong-labels"}

Row = dict[str, Any]


def examine_program(folder: Path, name: str) -> list[Row]:
    """Every run of a program at every richness, with what the doctor and the other tools say; units vary as in fitting."""
    runs, _ = load(folder / f"{name}.npz")
    rng = np.random.default_rng(5)
    rows = []
    for run, richness, trace in views(runs, 99):
        shown = rescale(trace, rng, PROGRAMS[name].kind)
        d = diagnose(shown)
        faults = [(f.condition, f.confidence) for f in d.findings if f.verdict == "found" and f.kind == "fault"]
        rows.append(
            {
                "program": name, "richness": richness, "answers": tuple(run["answers"]),
                "optimizer": run["recipe"]["optimizer"],
                "fault": run["recipe"]["fault"], "verdict": d.verdict, "found": faults, "points": len(shown.loss),
                "others": {k: sorted(rule(shown)) for k, rule in BASELINES.items()},
            }
        )  # fmt: skip
    return rows


def is_healthy(row: Row) -> bool:
    return row["answers"] == ("healthy",)


def exact(row: Row, top: int = 1) -> bool:
    return any(code in row["answers"] for code, _ in row["found"][:top])


def in_class(row: Row, top: int = 1) -> bool:
    right = {family(a) for a in row["answers"]}
    return any(family(code) in right for code, _ in row["found"][:top])


def alarm(row: Row) -> bool:
    return bool(row["found"])


def clustered(rows: list[Row], value: Callable[[Row], float]) -> str:
    """The mean in percent with a 95% interval from 2000 bootstrap draws of whole programs."""
    if not rows:
        return "–"
    groups: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        groups[row["program"]].append(float(value(row)))
    sums = np.array([(sum(v), len(v)) for v in groups.values()])
    draws = np.random.default_rng(0).integers(0, len(sums), (2000, len(sums)))
    means = sums[draws, 0].sum(1) / sums[draws, 1].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{100 * sums[:, 0].sum() / sums[:, 1].sum():.1f} ({100 * low:.0f}–{100 * high:.0f})"


def table(header: list[str], lines: list[list[str]]) -> str:
    return "\n".join(
        ["| " + " | ".join(header) + " |", "|" + "---|" * len(header), *("| " + " | ".join(line) + " |" for line in lines)]
    )


def by_richness(rows: list[Row]) -> str:
    lines = []
    for name in SHOWN:
        mine = [r for r in rows if r["richness"] == name]
        well, ill = [r for r in mine if is_healthy(r)], [r for r in mine if not is_healthy(r)]
        visible = [r for r in ill if "val" in name or "all" in name or not set(r["answers"]) & NEEDS_VALIDATION]
        balanced = (1 - np.mean([alarm(r) for r in well]) + np.mean([alarm(r) for r in ill])) / 2
        lines.append(
            [
                name, clustered(well, alarm), clustered(ill, alarm), clustered(visible, alarm), f"{balanced:.3f}",
                clustered(ill, in_class), clustered(ill, exact), clustered(ill, lambda r: in_class(r, 3)),
                f"{100 * np.mean([r['verdict'] == 'cannot_tell' for r in mine]):.1f}",
            ]
        )  # fmt: skip
    header = ["log", "false alarms %", "detected %", "detected % of faults this log can show", "balanced accuracy"]
    return table([*header, "right class, top 1 %", "right code, top 1 %", "right class, top 3 %", "cannot tell %"], lines)


def by_condition(rows: list[Row], names: tuple[str, ...]) -> str:
    lines = []
    for code in sorted({r["answers"][0] for r in rows if not is_healthy(r)}):
        mine = [r for r in rows if r["answers"][0] == code]
        line = [code, str(len({(r["program"], i // len(RICHNESS)) for i, r in enumerate(mine)}))]
        for name in names:
            here = [r for r in mine if r["richness"] == name]
            line += [f"{100 * np.mean([alarm(r) for r in here]):.0f}", f"{100 * np.mean([in_class(r) for r in here]):.0f}"]
        line[1] = str(sum(r["richness"] == names[0] for r in mine))
        lines.append(line)
    header = ["cause injected", "runs"] + [f"{name}: {what}" for name in names for what in ("detected %", "right class %")]
    return table(header, lines)


def by_key(rows: list[Row], key: Callable[[Row], str], title: str) -> str:
    lines = []
    for value in sorted({key(r) for r in rows}):
        mine = [r for r in rows if key(r) == value]
        well, ill = [r for r in mine if is_healthy(r)], [r for r in mine if not is_healthy(r)]
        rate = [f"{100 * np.mean([alarm(r) for r in well]):.1f} of {len(well)}" if well else "–"]
        lines.append([value, *rate, clustered(ill, alarm), clustered(ill, in_class)])
    return table([title, "false alarms % of runs", "detected %", "right class, top 1 %"], lines)


def calibration(rows: list[Row]) -> str:
    lines = []
    edges = [0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.001]
    said = [(r["found"][0][1], in_class(r) and not is_healthy(r), exact(r)) for r in rows if r["found"]]
    for low, high in pairwise(edges):
        mine = [s for s in said if low <= s[0] < high]
        if len(mine) >= 10:
            values = [100 * np.mean([s[i] for s in mine]) for i in range(3)]
            lines.append([f"{100 * low:.0f}–{100 * min(high, 1):.0f}", str(len(mine)), *(f"{v:.0f}" for v in values)])
    return table(["stated %", "findings", "mean stated %", "right class %", "right code %"], lines)


def others(rows: list[Row]) -> str:
    lines = []
    for name in ("step: loss", "step: all", "epoch: loss, accuracy, val", "epoch: all"):
        mine = [r for r in rows if r["richness"] == name]
        well, ill = [r for r in mine if is_healthy(r)], [r for r in mine if not is_healthy(r)]
        said: dict[str, Callable[[Row], list[str]]] = {"descend": lambda r: [code for code, _ in r["found"]]}
        said |= {k: (lambda r, k=k: r["others"][k]) for k in BASELINES}
        for tool, codes in said.items():
            alarms, detected = np.mean([bool(codes(r)) for r in well]), np.mean([bool(codes(r)) for r in ill])
            right = np.mean([any(family(c) in {family(a) for a in r["answers"]} for c in codes(r)) for r in ill])
            numbers = (100 * alarms, 100 * detected, 100 * right)
            lines.append([name, tool, *(f"{v:.0f}" for v in numbers), f"{(1 - alarms + detected) / 2:.2f}"])
    return table(["log", "tool", "false alarms %", "detected %", "right class among all it says %", "balanced accuracy"], lines)


def write(rows: list[Row], programs: list[str]) -> str:
    healthy = sum(is_healthy(r) for r in rows) // len(RICHNESS)
    ill = sum(not is_healthy(r) for r in rows) // len(RICHNESS)
    rich = [r for r in rows if r["richness"] in ("step: all", "epoch: loss, accuracy, val")]
    parts = [
        "# How well the doctor does\n",
        "Generated by `benchmarks/corpus/report.py`; nothing below was used for tuning. "
        f"{len(programs)} report programs ({', '.join(programs)}), {healthy} healthy runs and {ill} runs "
"with a fault, each logged in "
        f"{len(RICHNESS)} ways. Intervals are 95%, from drawing whole programs. A false alarm is any "
"fault found on a healthy run; "
        "abstaining on a fault is a miss. The right class is one of the classes of equivalent causes "
"declared in `recipes.py`.\n",
        "## By what was logged\n", by_richness(rows),
        "\n## By cause\n", by_condition(rows, ("step: all", "epoch: loss, accuracy, val", "step: loss")),
        "\n## By optimizer (logs with everything)\n", by_key(rich, lambda r: r["optimizer"], "optimizer"),
        "\n## By program (logs with everything)\n", by_key(rich, lambda r: r["program"], "program"),
        "\n## Calibration of the first finding\n", calibration(rows),
        "\n## Beside the log-only rules of other tools\n", others(rows), "",
    ]  # fmt: skip
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--split", default="report")
    parser.add_argument("--keep", type=Path, help="also keep the rows in this file")
    options = parser.parse_args()
    names = [p.name for p in PROGRAMS.values() if p.split == options.split and (options.corpus / f"{p.name}.npz").exists()]
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = [row for part in pool.map(examine_program, [options.corpus] * len(names), names) for row in part]
    if options.keep:
        options.keep.write_bytes(pickle.dumps(rows))
    text = write(rows, names)
    if options.split == "report":
        TARGET.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
