"""Hugging Face Trainer: trainer_state.json, or its log_history alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from descend.logs.collect import Raw

__all__ = ["is_history", "state"]

#: Written once at the end; `train_loss` there is the mean over the whole training, not a point of the curve.
_CLOSING = ("train_runtime", "train_samples_per_second", "train_steps_per_second", "total_flos")
_SETTINGS = ("max_steps", "logging_steps", "eval_steps", "save_steps", "num_train_epochs", "train_batch_size", "global_step")


def is_history(records: list[Any]) -> bool:
    """Whether a list of records is a Trainer's log_history."""
    dicts = [r for r in records[:50] if isinstance(r, dict)]
    return any(("loss" in r or "eval_loss" in r) and "step" in r and "epoch" in r for r in dicts) and any(
        "learning_rate" in r or "eval_runtime" in r or "eval_loss" in r for r in dicts
    )


def state(value: Mapping[str, Any], name: str, source: str) -> Raw:
    """The run in a trainer state."""
    from descend.logs.records import number

    raw = Raw(name, source, "hugging face", axis="step", axis_name="step")
    rows: dict[str, list[tuple[int, float]]] = {}
    last = 0
    for record in value["log_history"]:
        if not isinstance(record, dict):
            continue
        step = number(record.get("step"))
        last = int(step) if step is not None and abs(step) < 2**53 else last
        closing = any(key in record for key in _CLOSING)
        for key, cell in record.items():
            plain = number(cell)
            if key == "step" or plain is None:
                continue
            if closing and key != "epoch":
                raw.config.setdefault("summary", {})[key] = plain
            elif not closing:
                rows.setdefault(str(key), []).append((last, plain))
    for key, pairs in rows.items():
        raw.add_rows(key, pairs)
    raw.hyperparameters |= {k: value[k] for k in _SETTINGS if isinstance(value.get(k), int | float)}
    _mark(raw, value)
    return raw


def _mark(raw: Raw, value: Mapping[str, Any]) -> None:
    """What the Trainer's averaging and its NaN filter hide."""
    if "loss" not in raw.series:
        return
    steps, _ = raw.series["loss"].arrays()
    window = value.get("logging_steps")
    if not isinstance(window, int | float) or not window >= 1:
        window = float(np.median(np.diff(steps))) if len(steps) > 1 else 0
    raw.config["nan_filtered"] = True  # unless a NaN shows that the filter was off; the state does not say
    if window != 1:
        over = f"{window:g} steps" if window else "the steps since the last"
        raw.lose("window_mean", f"each loss is the mean over {over}, so single spikes are flattened")
