"""Make the sealed split: `python benchmarks/corpus/sealed.py OUT [--only NAME …]`, about fifteen minutes of one core.

A generator of its own, so that the report does not only measure how well one generator was learned: other tasks and models
(`sealed_tasks.py`), other trainers (`sealed_train.py`), recipes and strengths drawn anew. What it shares with the corpus is
what was declared before the first run: the columns recorded, the outcomes that verify a label (`recipes.label`) and the classes
of equivalent causes. `report.py --sealed` reads the result, once.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
import zlib
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from build import write
from recipes import label
from sealed_tasks import TASKS, Task
from sealed_train import TRAINERS

HEALTHY, KEPT_BEST = 36, 0.15
OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop")
SCHEDULES = ("constant", "constant", "constant", "cosine", "warm-linear", "exponential", "inverse-root")
GRIDS = {"sgd": (1e-3, 10), "momentum": (1e-4, 1), "adam": (1e-4, 0.6), "rmsprop": (1e-4, 0.3)}
Recipe = dict[str, Any]


def recipe(task: Task, optimizer: str, lr: float, epochs: int, batch: int, seed: int, **more: Any) -> Recipe:
    plain = {"schedule": "constant", "dropout": 0.0, "weight_decay": 0.0, "clip": math.inf, "beta": 0.9, "fault": ""}
    told = {"program": task.name, "optimizer": optimizer, "lr": float(lr), "epochs": int(epochs), "batch": int(batch)}
    return told | {"seed": seed, "strength": 0.0, "note": "", "extra": {}} | plain | more


def multiplier(schedule: str, t: int, total: int) -> float:
    """The schedules of the sealed runs; `cut:A:F` falls to the share F after the share A of the run."""
    u = t / max(total - 1, 1)
    if schedule == "cosine":
        return 0.01 + 0.99 * (1 + math.cos(math.pi * u)) / 2
    if schedule == "warm-linear":
        return min(u / 0.06 + 1e-3, 1.0, (1 - u) / 0.94 + 0.01)
    if schedule == "exponential":
        return 0.03**u
    if schedule == "inverse-root":
        return 1 / math.sqrt(1 + 20 * u)
    if schedule.startswith("cut"):
        _, when, share = schedule.split(":")
        return 1.0 if u < float(when) else float(share)
    return 1.0


def tuned(task: Task) -> dict[str, float]:
    """For each optimizer the rate with the lowest training loss after half the usual length."""
    best = {}
    for name, (low, high) in GRIDS.items():
        ends = {}
        for lr in np.geomspace(low, high, 9):
            end = run(task, recipe(task, name, lr, max(task.epochs // 2, 4), task.batch, 0))["true_end"]
            ends[float(lr)] = end if math.isfinite(end) else math.inf
        best[name] = min(ends, key=lambda k: ends[k])
    return best | {"nesterov": best["momentum"], "adamw": best["adam"]}


def healthy(task: Task, rates: dict[str, float], rng: np.random.Generator) -> list[Recipe]:
    """Ways in which a careful person trains: a rate near the best one, any schedule, length, batch and mild regularisation."""
    out = []
    for i in range(HEALTHY):
        name = OPTIMIZERS[i % 6]
        hot = i % 9 == 8
        full = task.batch > 10**5 or rng.uniform() < 0.15
        batch = 10**6 if full else int(task.batch * rng.choice([0.5, 1, 1, 1, 2]))
        length = rng.choice([0.7, 1, 1, 1.6]) * (6 if full and task.batch < 10**5 else 1)
        epochs = int(min(max(task.epochs * length, 10), 250))
        if task.backend != "numpy":
            epochs = min(epochs, 120)
        lr = rates[name] * (rng.choice([2, 3]) if hot else 10 ** rng.uniform(-0.6, 0.1))
        more: Recipe = {
            "schedule": str(rng.choice(SCHEDULES)),
            "dropout": float(rng.choice([0, 0, 0.15])), "weight_decay": float(rng.choice([0, 0, 0, 3e-4])),
            "clip": float(rng.choice([math.inf, math.inf, 2.0 if task.kind in ("class", "binary") else math.inf])),
            "note": "hot" if hot else "",
        }  # fmt: skip
        out.append(recipe(task, name, lr, epochs, batch, 500 + i, **more))
    return out


def faulty(task: Task, rates: dict[str, float], rng: np.random.Generator) -> list[Recipe]:
    """Each cause at a few strengths, on optimizers, lengths and schedules drawn for each run."""
    out: list[Recipe] = []

    def add(fault: str, strength: float = 0.0, names: str = "", rate: float = 1.0, **more: Any) -> None:
        name = str(rng.choice(names.split() or list(OPTIMIZERS)))
        batch = int(task.batch * rng.choice([1, 1, 1, 2]))
        epochs = int(max(task.epochs * rng.choice([0.7, 1, 1.4]), 10))
        more = {"schedule": str(rng.choice(["constant", "constant", "cosine", "warm-linear"]))} | more
        lr = rates[name] * rate * 10 ** rng.uniform(-0.2, 0.1)
        given = {"epochs": epochs, "batch": batch} | more
        out.append(
            recipe(
                task,
                name,
                lr,
                given.pop("epochs"),
                given.pop("batch"),
                2000 + len(out),
                fault=fault,
                strength=strength,
                **given,
            )
        )

    step_faults(add, rng)
    model_faults(task, add, rng)
    data_faults(task, add, rng)
    return out


def step_faults(add: Any, rng: np.random.Generator) -> None:
    for factor in (6, 20, 50, 200, 600):
        add("lr-too-high", factor, "sgd", factor)
        add("lr-too-high", factor, "momentum nesterov", factor)
        add("lr-too-high", factor, "adam adamw rmsprop", factor)
    for factor in (40, 200, 800):
        add("lr-too-low", factor, "sgd momentum nesterov", 1 / factor)
        add("lr-too-low", factor, "adam adamw rmsprop", 1 / factor)
    for rate in (1.0, 0.5, 0.15):
        add("flipped-sign", rate, "sgd momentum", rate)
        add("flipped-sign", rate, "adam rmsprop", rate)
    for rate in (1.0, 0.5):
        add("missing-zero-grad", rate, "sgd momentum", rate)
        add("missing-zero-grad", rate, "adam adamw", rate)
    for beta in (0.99, 0.997, 0.999):
        add("momentum-too-high", beta, "momentum nesterov", 1.0, beta=beta)
    for strength in (3e-2, 3e-3, 3e-4):
        add("over-clipping", strength, "sgd momentum")
    for fault in ("not-stepping", "not-stepping", "not-stepping", "detached"):
        add(fault)
    for when, share in ((0.02, 0.01), (0.05, 1e-3), (0.08, 1e-4)):
        add("schedule-too-early", when, rate=0.4, schedule=f"cut:{when}:{share}")
    for strength in (0.5, 1.5, 4.0):
        add("weight-decay", strength, "sgd adam momentum", weight_decay=strength)


def model_faults(task: Task, add: Any, rng: np.random.Generator) -> None:
    for scale in (0.0, 3e-3, 8.0, 60.0):
        add("init-scale", scale)
    if task.hidden and not task.tokens:
        for strength in (6.0, 15.0, 40.0):
            add("dead-units", strength, extra={"act": "relu"})
        for strength in (50.0, 150.0):
            add("saturated-units", strength, extra={"act": str(rng.choice(["sigmoid", "tanh"]))})
    if task.kind == "class" and task.backend != "numpy":
        for fault in ("double-softmax", "double-softmax", "missing-log", "missing-log"):
            add(fault)
    for _ in range(2):
        add("sum-loss")


def data_faults(task: Task, add: Any, rng: np.random.Generator) -> None:
    for how in ("shuffled", "shuffled", "shifted", "shifted"):
        add("wrong-labels", extra={"how": how})
    for size in (14, 20, 32, 50):
        add("overfitting", size, "momentum adam adamw", epochs=int(task.epochs * rng.choice([3, 5])), batch=16)
    for strength in (0.7, 0.9, 0.8) if task.tokens else (1.0, 2.5, 6.0):
        add("distribution-shift", strength)
    for size in (5, 8):
        add("noisy-validation", size)
    if task.tokens:
        return
    for decades in (1.2, 2.2, 3.2):
        add("unnormalised", decades)
    for when in (0.02, 0.35, 0.7):
        add("nan-data", extra={"when": when + 0.1 * float(rng.uniform()), "value": float(rng.choice([math.nan, math.inf]))})
    for style in ("zero", "repeat", "skip"):
        add("hidden-nan", extra={"when": 0.2 + 0.6 * float(rng.uniform()), "style": style})
    for strength in (15.0, 40.0, 120.0):
        add("spike", strength, "sgd adam momentum", clip=1.0, extra={"when": 0.25 + 0.6 * float(rng.uniform())})
    if task.kind == "class" and task.backend != "numpy":
        add("log-zero", extra={"when": 0.15 + 0.6 * float(rng.uniform())})


def delivered(task: Task, r: Recipe, data: Any, rng: np.random.Generator) -> Any:
    """The data as the program under test gets them."""
    x, y, xv, yv = data
    s = r["strength"]
    if r["fault"] == "wrong-labels":
        y = y[rng.permutation(len(y))] if r["extra"]["how"] == "shuffled" else np.roll(y, 1, 0)
    if r["fault"] == "unnormalised":
        scales = (10 ** rng.uniform(0, s, x.shape[-1])).astype(np.float32)
        x, xv = (x + 1) * scales, (xv + 1) * scales
    if r["fault"] == "overfitting":
        x, y = x[: int(s)], y[: int(s)]
    if r["fault"] == "noisy-validation":
        xv, yv = xv[: int(s)], yv[: int(s)]
    if r["fault"] == "distribution-shift" and task.tokens:
        lost = rng.uniform(size=len(yv)) < s
        yv = np.where(lost.reshape(-1, *[1] * (yv.ndim - 1)), yv[rng.permutation(len(yv))], yv)
    elif r["fault"] == "distribution-shift":
        xv = (xv * (1 + s) + s * xv.std()).astype(np.float32)
    return x, y, xv, yv


def constant(task: Task, y: np.ndarray) -> float:
    """The loss of the best constant answer."""
    if task.kind == "class":
        share = np.bincount(y.ravel()) / y.size
        return float(-(share[share > 0] * np.log(share[share > 0])).sum())
    if task.kind == "binary":
        p = np.clip(y.reshape(len(y), -1).mean(0), 1e-6, 1 - 1e-6)
        return float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean())
    if task.kind == "reg":
        return float(((y - y.mean(0)) ** 2).mean())
    off = np.abs(y - np.quantile(y, np.linspace(0.2, 0.8, 61)))
    return float(np.where(off < 1, off**2 / 2, off - 0.5).mean(0).min())


def run(task: Task, r: Recipe) -> dict[str, Any]:
    """Train one recipe; what a logger saw and the truth (`true_*`) that decides the label."""
    clean = task.data(np.random.default_rng(zlib.crc32(task.name.encode()) + r["seed"] % 5))
    rng = np.random.default_rng(r["seed"])
    data = delivered(task, r, clean, rng)
    reference = clean if r["fault"] in ("wrong-labels", "distribution-shift") else data
    trainer = TRAINERS[task.backend](task, r)
    out = {"true_start": trainer.evaluate(*reference[:2])[0], "base": constant(task, reference[1])}
    with np.errstate(all="ignore"):
        out |= loop(trainer, r, data, rng)
        out["true_end"], out["true_accuracy"] = trainer.evaluate(*reference[:2])
        out["true_val"] = math.nan if r["fault"] == "unnormalised" else trainer.evaluate(*clean[2:])[0]
    return out | {"base_val": constant(task, clean[3]), "recipe": r}


def struck(r: Recipe, x: np.ndarray, t: int, total: int) -> np.ndarray:
    """One bad batch, at the step where the fault strikes."""
    if r["fault"] in ("nan-data", "hidden-nan", "log-zero", "spike") and t == int(r["extra"]["when"] * total):
        x = x.copy()
        if r["fault"] == "spike":
            x *= r["strength"]
        elif r["fault"] == "log-zero":
            x[0] *= 1e4
        else:
            x[0] = r["extra"].get("value", math.nan)
    return x


def loop(trainer: Any, r: Recipe, data: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Epochs of minibatches; the gradient norm is logged before clipping."""
    x, y, xv, yv = data
    n, batch = len(x), min(r["batch"], len(x))
    per = max(n // batch, 1)
    total, clip = per * r["epochs"], r["clip"]
    steps, epochs = np.full((total, 4), np.nan), np.full((r["epochs"], 2), np.nan)
    steps[:, 1] = [r["lr"] * multiplier(r["schedule"], t, total) for t in range(total)]
    for t in range(total):
        if t % per == 0:
            order = rng.permutation(n)
        rows = order[t % per * batch : (t % per + 1) * batch]
        if r["fault"] != "missing-zero-grad":
            trainer.zero()
        loss, right, norm = trainer.gradient(struck(r, x[rows], t, total), y[rows])
        lr = steps[t, 1]
        steps[t] = loss, lr, norm, right
        if r["fault"] == "over-clipping" and t == 0:
            clip = r["strength"] * norm
        if r["fault"] not in ("not-stepping", "detached"):
            trainer.update(-lr if r["fault"] == "flipped-sign" else lr, min(1.0, clip / max(norm, 1e-30)))
        elif r["fault"] == "not-stepping" and t < 1 and hasattr(trainer, "optimizer"):
            trainer.update(lr, 1.0)  # it steps, on other parameters
        if (t + 1) % per == 0:
            epochs[t // per] = trainer.evaluate(xv, yv)
        if t % 10 == 9 and not trainer.finite():
            break
    return {"steps": steps.astype(np.float32), "epochs": epochs.astype(np.float32), "per_epoch": per}


def build(task: Task, out: Path) -> str:
    """Train every recipe of one task, label the runs, write them."""
    began, rng = time.time(), np.random.default_rng(zlib.crc32(task.name.encode()) + 77)
    rates = tuned(task)
    runs = [run(task, r) for r in healthy(task, rates, rng)]
    best = float(np.quantile([r["true_end"] for r in runs if math.isfinite(r["true_end"])], KEPT_BEST))
    runs += [run(task, r) for r in faulty(task, rates, rng)]
    labels = [label(r, best) for r in runs]
    write(out / f"{task.name}.npz", runs, labels, {"tuned": rates, "best": best, "split": "sealed", "kind": task.kind})
    kept = sum(a is not None for a in labels)
    return f"{task.name}: {labels.count(('healthy',))} healthy of {kept} kept of {len(runs)}, {time.time() - began:.0f} s"


def main() -> None:
    import torch

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only or TASKS:
        print(build(TASKS[name], options.out), flush=True)


if __name__ == "__main__":
    main()
