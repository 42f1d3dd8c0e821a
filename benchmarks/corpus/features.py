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
import wide  # noqa: F401 - and these
from programs import PROGRAMS
from recipes import EQUIVALENT
from views import RICHNESS, epoch_log, keep, load, rescale, step_log

from descend.doctor.examine import CONDITIONS, ENOUGH, in_order
from descend.doctor.finding import Case
from descend.doctor.signals import Signals, read_signals
from descend.trace import Trace

#: Codes that cannot be told apart by any log are learned as one.
MERGED = {"dead-units": "constant-predictor", "vanishing-gradients": "constant-predictor"}


def family(code: str) -> str:
    """The declared class of equivalent causes of a code."""
    return next((name for name, codes in EQUIVALENT.items() if code in codes), code)


def measured(trace: Trace, known: Signals | None = None) -> dict[str, Any]:
    """The signals of a trace, and the codes that the doctor's rules exclude whatever the votes."""
    signals = read_signals(in_order(trace), known)
    rules = {
        k: c.rule(Case(signals)) for k, c in CONDITIONS.items() if c.rule and c.kind == "fault" and len(signals.loss) >= ENOUGH
    }
    return {
        "signals": {k: float(np.clip(v, -1e30, 1e30)) for k, v in signals.value.items()},
        "excluded": {k for k, r in rules.items() if r and r[0] == "clear"},
        "proven": {k for k, r in rules.items() if r and r[0] == "found"},
    }


def rows_of(folder: Path, name: str, copies: int = 1) -> list[dict[str, Any]]:
    """Rows of one program: each run logged several times at other intervals and in other units, and once in its own unit."""
    rows = []
    runs, _ = load(folder / f"{name}.npz")
    runs = [run for run in runs if run["answers"] is not None]
    for copy in range(copies + 1):
        plain = copy == copies
        rng = np.random.default_rng(0 if plain else zlib.crc32(name.encode()) + copy)
        for run in runs:
            about = {"program": name, "answers": tuple(run["answers"]), "recipe": run["recipe"], "plain": plain}
            about["code"] = MERGED.get(run["answers"][0], run["answers"][0])
            for kind, draw in (("step", step_log), ("epoch", epoch_log)):
                log = draw(run, rng)
                rows += rows_of_log(log if plain else rescale(log, rng, PROGRAMS[name].kind), kind, about)
    return rows


def rows_of_log(log: Trace, kind: str, about: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each richness of a log."""
    alone = read_signals(keep(log, ()))
    finite = bool(np.isfinite(log.loss).all())
    shown = {r: names for r, names in RICHNESS.items() if r.startswith(kind)}
    return [about | {"richness": r, "finite": finite} | measured(keep(log, names), alone) for r, names in shown.items()]


def table(folder: Path, split: str, copies: int = 1, jobs: int = 1) -> list[dict[str, Any]]:
    """Rows of every program of a split."""
    names = [p.name for p in PROGRAMS.values() if p.split == split and (folder / f"{p.name}.npz").exists()]
    if jobs == 1:
        parts = [rows_of(folder, name, copies) for name in names]
    else:
        with ProcessPoolExecutor(jobs) as pool:
            k = len(names)
            parts = list(pool.map(rows_of, [folder] * k, names, [copies] * k))
    return [row for part in parts for row in part]
