"""The corpus as a table: one row per run and richness, its signals, its right answers, its program."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from programs import PROGRAMS
import variety  # noqa: F401 - registers the drawn programs
from recipes import EQUIVALENT
from views import load, rescale, views

from descend.doctor.signals import read_signals

#: Codes that cannot be told apart by any log are learned as one.
MERGED = {"dead-units": "constant-predictor", "vanishing-gradients": "constant-predictor"}


def family(code: str) -> str:
    """The declared class of equivalent causes of a code."""
    return next((name for name, codes in EQUIVALENT.items() if code in codes), code)


def table(folder: Path, split: str, copies: int = 1, rescaled: bool = True) -> list[dict[str, Any]]:
    """Rows of a split; with `copies` > 1 each run is logged several times at other intervals and in other units."""
    rows = []
    for p in PROGRAMS.values():
        path = folder / f"{p.name}.npz"
        if p.split != split or not path.exists():
            continue
        runs, _ = load(path)
        for copy in range(copies):
            rng = np.random.default_rng(zlib.crc32(p.name.encode()) + copy)
            for run, richness, trace in views(runs, copy):
                shown = rescale(trace, rng, p.kind) if rescaled else trace
                answers = run["answers"]
                rows.append(
                    {
                        "program": p.name, "richness": richness, "answers": tuple(answers), "recipe": run["recipe"],
                        "code": MERGED.get(answers[0], answers[0]), "signals": read_signals(shown), "trace": shown,
                    }
                )  # fmt: skip
    return rows
