"""Pick the curves the tests keep: per condition a sick run and its healthiest look-alike, `python cases.py CORPUS`.

A pair stays while it is still told apart; another one replaces it when not. The sick run is the first of its cause, over the
tuning programs in order, whose finding is the cause itself; the look-alike is the healthy run of the same program that the
scorer finds most like it. They guard against regressions; how often the doctor is right is measured elsewhere, on other
programs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import variety  # noqa: F401 - registers the drawn programs
from programs import PROGRAMS
from views import load, views

from descend.doctor import diagnose
from descend.doctor.scorer import probabilities
from descend.doctor.signals import read_signals
from descend.trace import Trace, column

TARGET = Path(__file__).parents[2] / "tests" / "doctor" / "cases.npz"
#: Causes wanted, and the log they are shown in.
WANTED = {
    "lr-too-high": "step: loss, lr, grad",
    "lr-too-low": "step: loss, lr, grad",
    "flipped-sign": "step: loss",
    "missing-zero-grad": "step: all",
    "momentum-too-high": "step: all",
    "over-clipping": "step: all",
    "not-stepping": "step: loss, lr, grad",
    "schedule-too-early": "step: all",
    "weight-decay-dominates": "step: all",
    "constant-predictor": "epoch: loss, accuracy, val",
    "exploding-gradients": "step: all",
    "wrong-loss": "epoch: loss, accuracy, val",
    "wrong-labels": "epoch: loss, accuracy, val",
    "overfitting": "epoch: loss, accuracy, val",
    "distribution-shift": "epoch: loss, accuracy, val",
    "spike": "step: loss",
    "nan": "step: loss",
    "hidden-nan": "step: all",
    "ill-conditioned": "step: all",
}


def right(run: dict[str, Any], code: str, trace: Trace) -> bool:
    d = diagnose(trace)
    return code in run["answers"] and len(trace.loss) <= 400 and d.verdict == "fault" and d.found[0].condition == code


def still_right() -> dict[str, Trace]:
    """The pairs kept before whose sick run is still named and whose look-alike is still left alone."""
    if not TARGET.exists():
        return {}
    with np.load(TARGET) as archive:
        arrays = {k: archive[k] for k in archive.files if k != "names"}
    traces: dict[str, dict[str, Any]] = {}
    for key in arrays:
        code, side, name, part = key.split("/")
        if part == "value":
            steps = arrays[f"{code}/{side}/{name}/step"]
            traces.setdefault(f"{code}/{side}", {})[name] = column(steps, arrays[key].astype(float))
    kept = {name: Trace(columns) for name, columns in traces.items()}
    wrong = set()
    for name, trace in kept.items():
        d, (code, side) = diagnose(trace), name.split("/")
        if d.verdict != {"sick": "fault", "well": "healthy"}[side] or (side == "sick" and d.found[0].condition != code):
            wrong.add(code)
    return {name: trace for name, trace in kept.items() if name.split("/")[0] not in wrong}


def main() -> None:
    folder = Path(sys.argv[1])
    kept = still_right()
    for p in PROGRAMS.values():
        if p.split != "tune" or len(kept) == 2 * len(WANTED):
            continue
        shown = list(views(load(folder / f"{p.name}.npz")[0], 0))
        for code, richness in WANTED.items():
            if f"{code}/sick" in kept:
                continue
            here = [(run, trace) for run, r, trace in shown if r == richness]
            sick = next(
                (trace for run, trace in here if run["answers"][0] in (code, "dead-units") and right(run, code, trace)), None
            )
            well = [
                t
                for run, t in here
                if run["answers"] == ["healthy"] and len(t.loss) <= 400 and diagnose(t).verdict == "healthy"
            ]
            if sick is not None and well:
                kept[f"{code}/sick"] = sick
                kept[f"{code}/well"] = max(well, key=lambda t: probabilities(read_signals(t)).get(code, 0.0))
    arrays: dict[str, Any] = {}
    for name, trace in kept.items():
        for key, c in trace.columns.items():
            arrays[f"{name}/{key}/step"], arrays[f"{name}/{key}/value"] = c.step.astype(np.int32), c.value.astype(np.float32)
    np.savez_compressed(TARGET, names=np.array(json.dumps(sorted(kept))), **arrays)
    print(f"{len(kept)} curves, {TARGET.stat().st_size / 1e3:.0f} kB; missing {[k for k in WANTED if f'{k}/sick' not in kept]}")


if __name__ == "__main__":
    main()
