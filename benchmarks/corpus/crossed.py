"""The doctor as fitted on other tuning programs: `python benchmarks/corpus/crossed.py CORPUS`, for choosing what to keep.

Votes come from forests that never saw a row's program; rules, struck-out votes and thresholds are then applied as `diagnose`
does. This is what changes are judged by; the reporting and the sealed programs are not read.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from features import family, table
from fit import KINDS, UNSCORED, calibration, held_out_votes, kind_of, matrix, weights
from views import RICHNESS

from descend.doctor.examine import CONDITIONS, MOSTLY, OTHERWISE_ILL
from descend.doctor.finding import Case
from descend.doctor.signals import Signals
from descend.trace import Trace

Row = dict[str, Any]


def lacking(row: Row) -> set[str]:
    """Codes whose columns this kind of log does not have."""
    names = {"loss", *RICHNESS[row["richness"]]}
    bare = Case(Signals(Trace({}), None, dict.fromkeys(names)))  # type: ignore[arg-type]
    return {k for k, c in CONDITIONS.items() if c.kind == "fault" and k != "dead-units" and c.missing(bare)}


def verdicts(rows: list[Row], votes: np.ndarray, codes: list[str], thresholds: dict[str, float]) -> list[str]:
    """The family found in each row, or an empty string."""
    without = {r: lacking({"richness": r}) - {"constant-predictor"} for r in RICHNESS}
    out = []
    for row, vote in zip(rows, votes, strict=True):
        excluded, proven = row["excluded"], row["proven"]
        struck = sum(v for c, v in zip(codes, vote, strict=True) if c in excluded)
        share = 1 - vote[codes.index("healthy")] / max(1 - struck, 1e-9)
        sums: Counter[str] = Counter()
        for c, v in zip(codes, vote, strict=True):
            if c != "healthy" and c not in excluded | without[row["richness"]]:
                sums[family(c)] += v
        ill = 1 - struck - vote[codes.index("healthy")] - vote[codes.index("spike")] > OTHERWISE_ILL * (1 - struck)
        if proven == {"spike"} and ill:
            sums["spike"] = 0
            out.append(max(sums, key=lambda f: sums[f]))
        elif proven:
            out.append(family("nan" if "nan" in proven else min(proven)))
        else:
            found = share > thresholds[kind_of(row["richness"])] and struck < MOSTLY
            out.append(max(sums, key=lambda f: sums[f]) if found else "")
    return out


def summary(rows: list[Row], said: list[str]) -> None:
    """False alarms, detection and right classes by kind of log, then by cause and optimizer."""
    healthy = np.array([r["code"] == "healthy" for r in rows])
    found = np.array([bool(s) for s in said])
    right = np.array([s in {family(a) for a in r["answers"]} for r, s in zip(rows, said, strict=True)])
    kinds = np.array([r["richness"] for r in rows])
    hidden = np.array([r["code"] in ("overfitting", "distribution-shift", "wrong-labels") for r in rows])
    for name in RICHNESS:
        m = kinds == name
        ill, shown = m & ~healthy, m & ~healthy & ~(np.False_ if "val" in name or "all" in name else hidden)
        print(
            f"{name:28s} alarms {found[m & healthy].mean():.3f}  detected {found[ill].mean():.3f}  "
            f"right {right[ill].mean():.3f}"
            f"  | of what it can show: detected {found[shown].mean():.3f}  right {right[shown].mean():.3f}"
        )
    for name in ("step: loss, lr, grad", "step: all"):
        print(name)
        for fault in sorted({r["recipe"]["fault"] for r in rows}):
            m = (kinds == name) & ~healthy & np.array([r["recipe"]["fault"] == fault for r in rows])
            if m.any():
                most = Counter(s or "missed" for s, k in zip(said, m, strict=True) if k).most_common(5)
                shares = ", ".join(f"{k} {v / m.sum():.2f}" for k, v in most)
                print(
                    f"  {fault or 'none':20s} {m.sum():5d} detected {found[m].mean():.2f} right {right[m].mean():.2f}: {shares}"
                )
        for optimizer in sorted({r["recipe"]["optimizer"] for r in rows}):
            m = (kinds == name) & healthy & np.array([r["recipe"]["optimizer"] == optimizer for r in rows])
            print(f"  {optimizer:10s} healthy {m.sum():5d} alarms {found[m].mean():.3f}")


def crossed(rows: list[Row], jobs: int = 1) -> None:
    names = sorted({k for row in rows for k in row["signals"]} - UNSCORED)
    x, w = matrix(rows, names), weights(rows)
    y, programs = np.array([row["code"] for row in rows]), np.array([row["program"] for row in rows])
    codes = sorted(set(y))
    votes = held_out_votes(x, y, programs, w, codes, jobs)
    bounds = calibration(rows, votes, codes, w)["thresholds"]
    summary(rows, verdicts(rows, votes, codes, {k: float(b[1]) for k, b in zip(KINDS, bounds, strict=True)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    crossed([row for row in table(options.corpus, "tune", 2, jobs=options.jobs) if not row["plain"]], options.jobs)


if __name__ == "__main__":
    main()
