"""Make the corpus: `python benchmarks/corpus/build.py OUT [--jobs 2] [--only NAME …]`, about forty minutes of one busy core.

Writes one `.npz` per program with everything recorded at every step; `views.py` turns a run into the logs people have.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
import variety  # noqa: F401 - registers the drawn programs
import wide
from programs import PROGRAMS
from recipes import fault_recipes, healthy_recipes, label, probe_recipes
from train import train

HEALTHY_PER_PROGRAM = 36


def tune(name: str) -> dict[str, float]:
    """The learning rate with the lowest final training loss, for SGD and Adam."""
    best: dict[str, tuple[float, float]] = {}
    for recipe in probe_recipes(PROGRAMS[name]):
        end = train(recipe)["true_end"]
        if np.isfinite(end) and end < best.get(recipe.optimizer, (np.inf, 0.0))[0]:
            best[recipe.optimizer] = (end, recipe.lr)
    return {k: lr for k, (_, lr) in best.items()}


def build(name: str, out: str) -> str:
    """Train every recipe of one program, label the runs, write them; returns a line for the log."""
    torch.set_num_threads(1)
    began, p = time.time(), PROGRAMS[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    tuned = tune(name)
    drawn = name.startswith("wide")
    runs = [train(r) for r in healthy_recipes(p, tuned, wide.HEALTHY if drawn else HEALTHY_PER_PROGRAM, rng, drawn)]
    ends = [r["true_end"] for r in runs if np.isfinite(r["true_end"])]
    best = float(np.quantile(ends, 0.15))
    faults = fault_recipes(p, tuned, rng)
    runs += [train(r) for r in (wide.thinned(faults, rng) if drawn else faults)]
    labels = [label(r, best) for r in runs]
    write(Path(out) / f"{name}.npz", runs, labels, {"tuned": tuned, "best": best, "split": p.split})
    kept = sum(answers is not None for answers in labels)
    return (
        f"{name}: {labels.count(('healthy',))} healthy of {kept} kept of {len(runs)} runs, tuned {tuned}, "
        f"{time.time() - began:.0f} s"
    )


def write(path: Path, runs: list[dict[str, Any]], labels: list[tuple[str, ...] | None], meta: dict[str, Any]) -> None:
    arrays: dict[str, Any] = {}
    table = []
    for i, (run, answers) in enumerate(zip(runs, labels, strict=True)):
        arrays[f"s{i}"], arrays[f"e{i}"] = run.pop("steps"), run.pop("epochs")
        table.append(run | {"answers": answers})
    np.savez_compressed(path, table=np.array(json.dumps({"runs": table, "meta": meta})), **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    Path(options.out).mkdir(parents=True, exist_ok=True)
    names = options.only or list(PROGRAMS)
    with ProcessPoolExecutor(options.jobs) as pool:
        for line in pool.map(build, names, [options.out] * len(names)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
