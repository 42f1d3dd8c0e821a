"""The corpus as a table: one row per run and richness, its signals, its right answers, its program."""

from __future__ import annotations

import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import variety  # noqa: F401 - registers the drawn programs
from programs import PROGRAMS
from recipes import EQUIVALENT
from views import load, rescale, views

from descend.doctor.examine import CONDITIONS, ENOUGH, in_order
from descend.doctor.finding import Case
from descend.doctor.signals import read_signals
from descend.trace import Trace

#: Codes that cannot be told apart by any log are learned as one.
MERGED = {"dead-units": "constant-predictor", "vanishing-gradients": "constant-predictor"}


def family(code: str) -> str:
    """The declared class of equivalent causes of a code."""
    return next((name for name, codes in EQUIVALENT.items() if code in codes), code)


def measured(trace: Trace) -> dict[str, Any]:
    """The signals of a trace, and the codes that the doctor's rules exclude whatever the votes."""
    signals = read_signals(in_order(trace))
    rules = {
        k: c.rule(Case(signals)) for k, c in CONDITIONS.items() if c.rule and c.kind == "fault" and len(signals.loss) >= ENOUGH
    }
    return {"signals": signals.value, "excluded": {k for k, r in rules.items() if r and r[0] == "clear"}}


def rows_of(folder: Path, name: str, copies: int = 1, rescaled: bool = True) -> list[dict[str, Any]]:
    """Rows of one program; with `copies` > 1 each run is logged several times at other intervals and in other units."""
    rows = []
    runs, _ = load(folder / f"{name}.npz")
    for copy in range(copies):
        rng = np.random.default_rng(zlib.crc32(name.encode()) + copy)
        for run, richness, trace in views(runs, copy):
            shown = rescale(trace, rng, PROGRAMS[name].kind) if rescaled else trace
            rows.append(
                {
                    "program": name, "richness": richness, "answers": tuple(run["answers"]), "recipe": run["recipe"],
                    "code": MERGED.get(run["answers"][0], run["answers"][0]), **measured(shown),
                    "finite": bool(np.isfinite(shown.loss).all()),
                }
            )  # fmt: skip
    return rows


def table(folder: Path, split: str, copies: int = 1, rescaled: bool = True, jobs: int = 1) -> list[dict[str, Any]]:
    """Rows of every program of a split."""
    names = [p.name for p in PROGRAMS.values() if p.split == split and (folder / f"{p.name}.npz").exists()]
    if jobs == 1:
        parts = [rows_of(folder, name, copies, rescaled) for name in names]
    else:
        with ProcessPoolExecutor(jobs) as pool:
            k = len(names)
            parts = list(pool.map(rows_of, [folder] * k, names, [copies] * k, [rescaled] * k))
    return [row for part in parts for row in part]
