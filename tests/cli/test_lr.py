"""`descend lr`: the limit and the recommended rate of each optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import descend as ds


def told(command: Any, *words: str) -> dict[str, dict[str, Any]]:
    answer = command.json("lr", *words)
    return {row["optimizer"]: row for row in answer["optimizers"]}


def test_the_limits_of_the_bowl(command: Any) -> None:
    rows = told(command, "x^2 + 3y^2", "--start", "4,3")
    assert list(rows) == ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]
    assert rows["sgd"]["lr_limit"] == pytest.approx(2 / 6, rel=1e-6)
    assert rows["momentum"]["lr_limit"] == pytest.approx(3.8 / 6, rel=1e-6)
    assert rows["nesterov"]["lr_limit"] == pytest.approx(3.8 / 2.8 / 6, rel=1e-6)
    assert rows["sgd"]["lr_suggested"] == 0.25
    assert all(row["reason"] for row in rows.values())


def test_adams_limit_is_with_the_second_moments_of_the_first_step(command: Any) -> None:
    """v̂ = g² after one step: the preconditioned Hessian is λᵢ/|gᵢ|."""
    rows = told(command, "x^2 + 3y^2", "--start", "4,3", "--optimizer", "adam")
    v = 0.001 * np.array([8.0, 18.0]) ** 2  # as it is kept; its correction has settled at the limit
    assert rows["adam"]["sharpness"] == pytest.approx(max(2 / v[0] ** 0.5, 6 / v[1] ** 0.5), rel=1e-6)
    assert rows["adam"]["lr_limit"] == pytest.approx(38 / rows["adam"]["sharpness"], rel=1e-6)


def test_the_table_gives_reasons(command: Any) -> None:
    text = command(
        "lr", "rosenbrock", "--optimizer", "sgd", "--optimizer", "momentum:momentum=0.95", "--optimizer", "lion"
    ).stdout
    assert "recommended" in text
    assert "half the limit" in " ".join(text.split())
    assert next(line.split() for line in text.splitlines() if line.split()[:1] == ["lion"])[1] == "none"


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "lion", "prodigy", "adadelta"])
def test_the_recommended_rate_is_the_one_a_run_without_a_rate_takes(command: Any, name: str) -> None:
    (row,) = told(command, "beale", "--optimizer", name).values()
    trace = ds.descend("beale", None, ds.optimizers.__dict__[name]() if hasattr(ds.optimizers, name) else None, steps=1000)
    assert row["lr_suggested"] == trace.config["hyperparameters"]["lr"]


def test_what_has_no_curvature_says_so(command: Any, tmp_path: Any) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import torch\ndef f(p): return torch.sum(p**2)\n")
    assert "not known here" in command("lr", f"{file}:f", "--start", "1,2").stdout
    row = told(command, "-x^2", "--start", "1")["sgd"]
    assert (row["lr_limit"], row["ratio"]) == (None, None)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["x^2"], "a start point is needed"),
        (["x^2 +", "--start", "1"], "the expression ends after '+'"),
        (["x^2", "--start", "1", "--optimizer", "adm"], "there is no optimizer 'adm'"),
        (["x^2", "--start", "1", "--optimizer", "muon"], "muon works on matrices alone"),
    ],
)
def test_bad_input_is_one_sentence(command: Any, words: list[str], expected: str) -> None:
    assert expected in command.refused("lr", *words)


def test_at_a_stationary_point_it_says_so(command: Any) -> None:
    text = " ".join(command("lr", "x^2", "--start", "0").stdout.split())
    assert "the gradient is 0: this is a stationary point" in text
    limits = {
        row["optimizer"] if "optimizer" in row else row["name"]: row["lr_limit"]
        for row in command.json("lr", "x^2", "--start", "0", "--optimizer", "adam", "--optimizer", "sgd")["optimizers"]
    }
    assert limits["adam"] is None
    assert limits["sgd"] == pytest.approx(1)
    assert "stationary" not in command("lr", "x^2", "--start", "1").stdout
