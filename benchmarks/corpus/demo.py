"""Make the three runs that ship with descend (`descend diagnose --demo`): real, small, seeded."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
from train import Recipe, train

TARGET = Path(__file__).parents[2] / "src" / "descend" / "doctor" / "demo"

RUNS = {
    "diverging": Recipe("linear-synthetic", "sgd", 0.75, 60, 320, 3, fault="lr-too-high"),
    "crawling": Recipe("mlp-digits", "sgd", 0.01, 12, 64, 3, fault="lr-too-low"),
    "plateau-then-drop": Recipe("linear-synthetic", "momentum", 0.02, 12, 4, 4, schedule="step"),
}


def main() -> None:
    torch.set_num_threads(1)
    TARGET.mkdir(exist_ok=True)
    for name, recipe in RUNS.items():
        run = train(recipe)
        rows = ["step,loss,lr,grad_norm"]
        every = max(len(run["steps"]) // 400, 1)
        rows += [f"{t},{loss:.6g},{lr:.6g},{norm:.6g}" for t, (loss, lr, norm, _) in enumerate(run["steps"]) if t % every == 0]
        (TARGET / f"{name}.csv").write_text("\n".join(rows) + "\n")
        print(name, len(rows) - 1, run["steps"][0, 0], run["steps"][-1, 0], run["base"])


if __name__ == "__main__":
    main()
