"""`descend optimizers` and `descend surfaces`: tables from the registries, and one entry in full."""

from __future__ import annotations

from typing import Any

import pytest

import descend as ds
from descend.equations import latex, lines
from descend.objectives import SURFACES, resolve
from descend.rules import OPTIMIZERS

NAMES = list(ds.optimizers.__all__)


def first_words(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines() if line.startswith("  ") and line.split()]


def test_every_optimizer_is_listed_once_in_the_registrys_order(command: Any) -> None:
    assert first_words(command("optimizers").stdout) == ["optimizer", *NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_one_optimizer_in_full(command: Any, name: str) -> None:
    text = command("optimizers", name).stdout
    for line in lines(OPTIMIZERS[name]):
        assert f"  {line}" in text
    for h in OPTIMIZERS[name].hyperparameters:
        assert any(line.split()[:1] == [h] for line in text.splitlines()), h
    tex = command("optimizers", name, "--latex").stdout
    for line in latex(OPTIMIZERS[name]):
        assert f"  {line}" in tex


def test_optimizers_as_json(command: Any) -> None:
    told = {row["name"]: row for row in command.json("optimizers")}
    assert list(told) == NAMES
    assert told["adam"]["state_bytes"] == 8
    assert told["adam"]["hyperparameters"]["beta1"] == {"default": 0.9, "bounds": [0.0, 1.0, True, False]}
    assert told["adam"]["equations"] == lines(ds.adam)
    (one,) = command.json("optimizers", "lion")
    assert one == told["lion"]


@pytest.mark.parametrize(
    ("name", "size"),
    [("sgd", 0), ("momentum", 4), ("nesterov", 4), ("rmsprop", 4), ("lion", 4), ("adam", 8), ("adamw", 8), ("amsgrad", 12)],
)
def test_bytes_of_state_per_parameter(command: Any, name: str, size: int) -> None:
    assert f"{size} bytes per parameter in float32" in command("optimizers", name).stdout


def test_every_surface_is_listed_once(command: Any) -> None:
    assert first_words(command("surfaces").stdout) == ["surface", *SURFACES]


@pytest.mark.parametrize("name", SURFACES)
def test_one_surface_in_full(command: Any, name: str) -> None:
    goal, text = resolve(name), " ".join(command("surfaces", name).stdout.split())
    assert goal.text in text or goal.text.replace(" ", "") in text.replace(" ", "")
    assert goal.note in text
    (told,) = command.json("surfaces", name)
    assert told["minimum"] == goal.minimum
    assert told["start"] == list(goal.start or []) or goal.start is None


def test_typos_are_met_with_the_nearest_name(command: Any) -> None:
    assert "there is no optimizer 'adm'" in command.refused("optimizers", "adm")
    assert "did you mean 'rosenbrock'?" in command.refused("surfaces", "rosenbrok")
