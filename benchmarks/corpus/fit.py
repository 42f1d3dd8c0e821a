"""Fit the scorer on the tuning programs: `python benchmarks/corpus/fit.py CORPUS [--copies 2] [--jobs 2]`.

A forest of randomised trees votes for the cause; every program counts the same and healthy runs count half. Thresholds and
calibration come from votes on programs left out of the fit (groups of programs, five folds), never from the report programs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from features import family, table
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GroupKFold

TARGET = Path(__file__).parents[2] / "src" / "descend" / "doctor" / "forest.npz"

#: Signals that depend on units (or only count rows) are measured for the evidence and kept from the scorer.
UNSCORED = {
    "points",
    "interval",
    "lr_level",
    "grad_level",
    "move_level",
    "sign_value",
    "sign_spread",
    "climb_spread",
    "climb_factor",
    "fallen_before_climb",
}
#: The share of healthy runs of unseen programs called a fault, and called "cannot tell" or a fault.
ALARMS, DOUBTS = 0.035, 0.10
KINDS = ("loss", "val", "grad", "all")
TREES = {
    "n_estimators": 50,
    "min_samples_leaf": 4,
    "max_features": 0.8,
    "bootstrap": True,
    "max_samples": 20000,
    "random_state": 0,
}


def kind_of(richness: str) -> str:
    """The row of the threshold table a richness belongs to (as `scorer.richness` decides it at run time)."""
    val, grad = "val" in richness or "all" in richness, "grad" in richness or "all" in richness
    return {(0, 0): "loss", (1, 0): "val", (0, 1): "grad", (1, 1): "all"}[int(val), int(grad)]


def matrix(rows: list[dict[str, Any]], names: list[str]) -> np.ndarray:
    values = np.array([[row["signals"].get(k, np.nan) for k in names] for row in rows])
    return np.clip(np.where(np.isinf(values), np.nan, values), -1e3, 1e3).astype(np.float32)


def weights(rows: list[dict[str, Any]]) -> np.ndarray:
    """Each program's healthy runs weigh as much as its faults, and each program the same."""
    healthy = np.array([row["code"] == "healthy" for row in rows])
    names = np.array([row["program"] for row in rows])
    w = np.ones(len(rows))
    for name in set(names):
        for group in (healthy & (names == name), ~healthy & (names == name)):
            w[group] = 1 / max(group.sum(), 8)
    return w / w.mean()


def held_out_votes(
    x: np.ndarray, y: np.ndarray, programs: np.ndarray, w: np.ndarray, codes: list[str], jobs: int
) -> np.ndarray:
    """Votes on every row by forests that never saw its program."""
    votes = np.zeros((len(x), len(codes)))
    for seen, unseen in GroupKFold(5).split(x, y, programs):
        model = ExtraTreesClassifier(**TREES, n_jobs=jobs).fit(x[seen], y[seen], sample_weight=w[seen])
        votes[np.ix_(unseen, [codes.index(c) for c in model.classes_])] = model.predict_proba(x[unseen])
    return votes


def arrays(model: ExtraTreesClassifier) -> dict[str, np.ndarray]:
    """The forest as flat arrays: nodes in depth-first order, so that a left child is the next node."""
    root, signal, split, right, missing, share, depth = [], [], [], [], [], [], 0
    at = leaf_count = 0
    for tree in (e.tree_ for e in model.estimators_):
        leaf = tree.children_left < 0
        inner = np.flatnonzero(~leaf)
        assert np.all(tree.children_left[inner] == inner + 1), "trees must be stored depth first"
        root.append(at)
        signal.append(np.where(leaf, -1, tree.feature))
        split.append(np.where(leaf, 0, tree.threshold))
        leaf_row = np.cumsum(leaf) - 1 + leaf_count
        right.append(np.where(leaf, leaf_row, tree.children_right + at))
        missing.append(tree.missing_go_to_left.astype(bool) & ~leaf)
        value = tree.value[leaf][:, 0, :]
        share.append(np.round(255 * value / value.sum(1, keepdims=True)).astype(np.uint8))
        at, leaf_count, depth = at + len(leaf), leaf_count + int(leaf.sum()), max(depth, tree.max_depth)
    return {
        "root": np.array(root, np.int32), "signal": np.concatenate(signal).astype(np.int16),
        "split": np.concatenate(split).astype(np.float16), "right": np.concatenate(right).astype(np.int32),
        "missing_left": np.concatenate(missing), "share": np.concatenate(share), "depth": np.array(depth),
    }  # fmt: skip


def monotone(raw: np.ndarray, right: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An isotonic map from share of votes to probability of being right, thinned to 40 points."""
    model = IsotonicRegression(y_min=0.02, y_max=0.98, out_of_bounds="clip").fit(raw, right, sample_weight=w)
    grid = np.linspace(0, 1, 41)
    smooth = np.convolve(np.pad(model.predict(grid), 2, mode="edge"), np.ones(5) / 5, "valid")
    return grid.astype(np.float32), np.maximum.accumulate(smooth).astype(np.float32)


def calibration(rows: list[dict[str, Any]], votes: np.ndarray, codes: list[str], w: np.ndarray) -> dict[str, np.ndarray]:
    """Thresholds per kind of log; share of votes to probability for "a fault" and for "this cause"."""
    healthy = np.array([row["code"] == "healthy" for row in rows])
    kinds = np.array([kind_of(row["richness"]) for row in rows])
    struck = np.array([[c in row["excluded"] for c in codes] for row in rows])
    votes = np.where(struck, 0, votes)
    votes /= np.maximum(votes.sum(1, keepdims=True), 1e-9)
    share = 1 - votes[:, codes.index("healthy")]
    bounds = []
    for kind in KINDS:
        mine = share[healthy & (kinds == kind)]
        bounds.append((np.quantile(mine, 1 - DOUBTS), np.quantile(mine, 1 - ALARMS)))
    faults = [c for c in codes if c != "healthy"]
    families = sorted({family(c) for c in faults})
    sums = np.stack([votes[:, [codes.index(c) for c in faults if family(c) == f]].sum(1) for f in families], 1)
    part = sums.max(1) / np.maximum(share, 1e-9)
    said = [families[i] for i in sums.argmax(1)]
    right = np.array([any(family(a) == f for a in row["answers"]) for row, f in zip(rows, said, strict=True)], float)
    fault_raw, fault_right = monotone(share, (~healthy).astype(float), w)
    high = np.array([b[1] for b in bounds])[[KINDS.index(k) for k in kinds]]
    sure = ~healthy & (share > high)
    cause_raw, cause_right = monotone(part[sure], right[sure], w[sure])
    return {
        "thresholds": np.array(bounds, np.float32), "kinds": np.array(KINDS), "fault_raw": fault_raw,
        "fault_right": fault_right, "cause_raw": cause_raw, "cause_right": cause_right,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    fit(table(options.corpus, "tune", options.copies, jobs=options.jobs), options.jobs)


def fit(rows: list[dict[str, Any]], jobs: int) -> None:
    """Fit on the rows and write the forest, its thresholds and its calibration."""
    names = sorted({k for row in rows for k in row["signals"]} - UNSCORED)
    x, w = matrix(rows, names), weights(rows)
    y, programs = np.array([row["code"] for row in rows]), np.array([row["program"] for row in rows])
    codes = sorted(set(y))
    drawn = np.flatnonzero([not row["plain"] for row in rows])  # calibration is for units nobody chose
    votes = held_out_votes(x[drawn], y[drawn], programs[drawn], w[drawn], codes, jobs)
    held = calibration([rows[i] for i in drawn], votes, codes, w[drawn])
    model = ExtraTreesClassifier(**TREES, n_jobs=jobs).fit(x, y, sample_weight=w)
    np.savez_compressed(TARGET, names=np.array(names), codes=np.array(codes), **arrays(model), **held)
    print(f"{len(rows)} rows of {len(set(programs))} programs, {len(names)} signals, {TARGET.stat().st_size / 1e3:.0f} kB")
    print(dict(zip(KINDS, held["thresholds"].round(3).tolist(), strict=True)))


if __name__ == "__main__":
    main()
