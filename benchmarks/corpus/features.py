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
    """Rows of one program; with `copies` > 1 each run is logged several times at other intervals and in other units."""
    rows = []
    runs, _ = load(folder / f"{name}.npz")
    for copy in range(copies):
        rng = np.random.default_rng(zlib.crc32(name.encode()) + copy)
        for run in runs:
            if run["answers"] is None:
                continue
            for kind, log in (("step", step_log(run, rng)), ("epoch", epoch_log(run, rng))):
                shown = rescale(log, rng, PROGRAMS[name].kind)
                alone = read_signals(keep(shown, ()))
                for richness, names in RICHNESS.items():
                    if richness.startswith(kind):
                        about = {"program": name, "richness": richness, "answers": tuple(run["answers"])}
                        about |= {"recipe": run["recipe"], "finite": bool(np.isfinite(shown.loss).all())}
                        code = MERGED.get(run["answers"][0], run["answers"][0])
                        rows.append(about | {"code": code} | measured(keep(shown, names), alone))
    return rows


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
