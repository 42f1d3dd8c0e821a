"""Text logs as the best-known examples print them: every training loss is read once, in order, and validation apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from descend.logs import read

EPOCHS, ROWS = 4, 6


def loss(epoch: int, row: int) -> float:
    return round(3.0 * 0.97 ** (epoch * ROWS + row), 3)


def quickstart(e: int) -> str:
    rows = "".join(f"loss: {loss(e, i):>7f}  [{i * 6400 + 64:>5d}/60000]\n" for i in range(ROWS))
    return f"Epoch {e + 1}\n-------------------\n{rows}Test Error: \n Accuracy: {40 + e}.0%, Avg loss: 1.500000 \n\n"


def blitz(e: int) -> str:
    return "".join(f"[{e + 1}, {(i + 1) * 2000:5d}] loss: {loss(e, i):.3f}\n" for i in range(ROWS))


def imagenet(e: int) -> str:
    rows = "".join(
        f"Epoch: [{e}][{i * 10:3d}/60]\tTime  0.312 ( 0.402)\tLoss {loss(e, i):.4e} (9.0e+00)\tAcc@1  12.00 (  9.00)\n"
        for i in range(ROWS)
    )
    tests = "".join(f"Test: [{i:2d}/40]\tTime  1.2 ( 1.2)\tLoss 7.0000e+00 (7.0e+00)\tAcc@1  11.00 ( 11.00)\n" for i in (0, 10))
    return rows + tests + " *   Acc@1 11.000 Acc@5 33.000\n"


def language_model(e: int) -> str:
    rows = "".join(
        f"| epoch {e + 1:3d} | {(i + 1) * 200:5d}/ 1300 batches | lr 20.00 | ms/batch 12.2 | loss {loss(e, i):5.3f} | ppl 3.0\n"
        for i in range(ROWS)
    )
    return f"{rows}{'-' * 89}\n| end of epoch {e + 1:3d} | time: 37.21s | valid loss  7.00 | valid ppl     3.00\n{'-' * 89}\n"


def engine(e: int) -> str:
    return "".join(f"INFO - Epoch(train) [{e + 1}][{(i + 1) * 50}/300]  lr: 1.0e-02  loss: {loss(e, i)}\n" for i in range(ROWS))


@pytest.mark.parametrize("epoch", [quickstart, blitz, imagenet, language_model, engine])
def test_counters_inside_epochs_are_counted_on(tmp_path: Path, epoch: Callable[[int], str]) -> None:
    (tmp_path / "train.log").write_text("".join(epoch(e) for e in range(EPOCHS)))
    (trace,) = read(tmp_path / "train.log")
    np.testing.assert_allclose(trace["loss"], [loss(e, i) for e in range(EPOCHS) for i in range(ROWS)])
    assert len(set(np.diff(trace.columns["loss"].step)[: ROWS - 1].tolist())) == 1
    if "val_loss" in trace.columns:
        np.testing.assert_array_equal(trace["val_loss"], [7.0] * EPOCHS)
    assert ("val_loss" in trace.columns) == (epoch in (imagenet, language_model))


def test_an_epoch_that_is_announced_at_the_end_of_a_block_is_not_forgotten(tmp_path: Path) -> None:
    text = "".join(quickstart(e).replace("Test Error: \n", "") for e in range(600))
    (tmp_path / "train.log").write_text(text)
    (trace,) = read(tmp_path / "train.log")
    assert len(trace["loss"]) == 600 * ROWS


def test_an_accuracy_beside_a_loss_is_of_the_same_split(tmp_path: Path) -> None:
    lines = [f"Epoch {e}/24\n-----\ntrain Loss: {loss(e, 0)} Acc: 0.5\nval Loss: 7.0 Acc: 0.25\n\n" for e in range(5)]
    (tmp_path / "train.log").write_text("".join(lines) + "Best val Acc: 0.99\n")
    (trace,) = read(tmp_path / "train.log")
    np.testing.assert_array_equal(trace["accuracy"], [0.5] * 5)
    np.testing.assert_array_equal(trace["val_accuracy"], [0.25] * 5)


def test_a_counter_in_brackets_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "boost.log").write_text("".join(f"[{i}]\ttrain-logloss:{loss(0, i)}\teval-logloss:7.0\n" for i in range(9)))
    (trace,) = read(tmp_path / "boost.log")
    assert trace.columns["loss"].step.tolist() == list(range(9))
    np.testing.assert_allclose(trace["loss"], [loss(0, i) for i in range(9)])
    np.testing.assert_array_equal(trace["val_loss"], [7.0] * 9)
