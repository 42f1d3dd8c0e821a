"""What `--all` finds in a module or a file: its optimizers, not its helpers, nor the classes they derive from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from descend.check.listing import public_optimizers
from descend.check.loading import Failed
from descend.cli import main

ANSWERS = """
import abc, math
import numpy as np
from collections import OrderedDict

class Optimizer:
    def __init__(self, lr=0.1): self.lr = lr
    def step(self, params, grads): raise NotImplementedError

class Abstract(abc.ABC):
    @abc.abstractmethod
    def update(self, p, g): ...

class SGD(Optimizer):
    def step(self, params, grads): return [p - self.lr * g for p, g in zip(params, grads)]

class Momentum(SGD):
    def __init__(self, lr=0.1, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, {}
    def step(self, params, grads):
        out = []
        for i, (p, g) in enumerate(zip(params, grads)):
            self.v[i] = self.momentum * self.v.get(i, 0) - g
            out.append(p - self.lr * self.v[i])
        return out

class Dataset:
    def __init__(self, n): self.n = n
    def update(self, n): self.n = n

class MyError(Exception): pass

def sgd(p, g, lr=0.1): return p - lr * g
def loss(params): return sum((p**2).sum() for p in params)
def plot(history): ...
def _hidden(p, g): return p
LEARNING_RATE = 0.1
"""


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    file = tmp_path / "answers.py"
    file.write_text(ANSWERS)
    return file


def test_those_of_a_file_in_its_order(answers: Path) -> None:
    assert public_optimizers(str(answers)) == ["SGD", "Momentum", "sgd"]


def test_the_command_checks_each(answers: Path) -> None:
    result = CliRunner().invoke(main, ["check", "--all", str(answers), "--json"])
    told = {r["target"].rpartition(":")[2]: r["verdict"] for r in json.loads(result.stdout)}
    assert told == {"SGD": "right", "Momentum": "wrong", "sgd": "right"}
    assert result.exit_code == 1


def test_a_package_lists_its_own_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "steps_of_mine"
    package.mkdir()
    (package / "__init__.py").write_text("from steps_of_mine.plain import Adam, step\nfrom numpy import add\n")
    (package / "plain.py").write_text(
        "class Adam:\n    def __init__(self, lr): self.lr = lr\n    def minimize(self, w): ...\n    def apply(self, w): ...\n"
        "def step(weights, gradients, lr=.1): return weights - lr * gradients\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert public_optimizers("steps_of_mine") == ["Adam", "step"]


def test_nothing_heavy_is_imported_for_it(answers: Path) -> None:
    heavy = "{'torch', 'keras', 'optax'} & {*sys.modules}"
    code = f"import sys; from descend.check.listing import public_optimizers as f; f({str(answers)!r}); print({heavy})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_what_has_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("x = 1\n")
    result = CliRunner().invoke(main, ["check", "--all", str(tmp_path / "empty.py")])
    assert "nor one that takes parameters and gradients" in result.output
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("where", "said"),
    [("no_such_module", "there is no module 'no_such_module'"), ("nowhere/none.py", "there is no file nowhere/none.py")],
)
def test_what_is_not_there(where: str, said: str) -> None:
    with pytest.raises(Failed, match=said):
        public_optimizers(where)
