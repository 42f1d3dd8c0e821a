"""What a learner meets: code that does nothing, crashes, hangs, prints, exits; each in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from descend.check import Report, check
from descend.cli import main

RIGHT = """
import numpy as np

class Adam:
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.v = None
        self.t = 0

    def step(self, params, grads):
        if self.m is None:
            self.m = [np.zeros_like(p) for p in params]
            self.v = [np.zeros_like(p) for p in params]
        self.t += 1
        for p, g, m, v in zip(params, grads, self.m, self.v):
            # HERE
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g * g - v)
            m_hat, v_hat = m / (1 - self.beta1**self.t), v / (1 - self.beta2**self.t)
            p -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
"""


def checked(tmp_path: Path, code: str, name: str = "Adam", reference: str | None = "adam", seconds: float = 15.0) -> Report:
    file = tmp_path / "mine.py"
    file.write_text(code, encoding="utf-8")
    return check(f"{file}:{name}", reference, seconds=seconds)


def words(report: Report) -> str:
    """The text in one line of lower case."""
    return " ".join(str(report).lower().split())


def test_right(tmp_path: Path) -> None:
    report = checked(tmp_path, RIGHT)
    assert (report.verdict, report.exit_code) == ("right", 0)
    assert report.difference is not None
    assert report.difference <= 1e-12


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("raise ValueError('not yet')", "mine.py:16: ValueError: not yet"),
        ("undefined_name + 1", "mine.py:16: NameError"),
        ("import sys; sys.exit(3)", "mine.py:16: your code ended the process with exit(3)"),
        ("import os; os._exit(3)", "your code ended the process with exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "your code ended the process with signal 11"),
        ("x = np.ones(10**10)", "memory"),
    ],
)
def test_code_that_fails_is_reported_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    report = checked(tmp_path, RIGHT.replace("# HERE", line))
    assert (report.verdict, report.exit_code) == ("could_not_run", 2)
    assert said in report.message
    assert "traceback" not in words(report)


def test_an_infinite_loop_ends_at_the_limit_with_its_line(tmp_path: Path) -> None:
    report = checked(tmp_path, RIGHT.replace("# HERE", "while True: pass"), seconds=2.0)
    assert report.verdict == "could_not_run"
    assert "mine.py:16" in report.message
    assert "did not finish within 2 s" in report.message


def test_slow_code_is_not_run_for_a_thousand_steps(tmp_path: Path) -> None:
    code = "import time\n\ndef sgd(p, g, lr=0.1):\n    time.sleep(0.01)\n    return p - lr * g\n"
    report = checked(tmp_path, code, "sgd", "sgd", seconds=5.0)
    assert report.verdict == "right"
    assert "too slow for a run of a thousand steps" in words(report)


def test_printing_a_lot_does_no_harm(tmp_path: Path) -> None:
    report = checked(tmp_path, RIGHT.replace("# HERE", "print('x' * 10000)"))
    assert report.verdict == "right"
    assert len(report.printed) <= 2000


def test_a_file_that_is_not_python(tmp_path: Path) -> None:
    report = checked(tmp_path, "class Adam(:\n")
    assert report.verdict == "could_not_run"
    assert "mine.py:1: SyntaxError" in report.message


def test_a_name_that_is_not_there(tmp_path: Path) -> None:
    assert "it defines Adam" in checked(tmp_path, RIGHT, name="Adamm").message


def test_an_empty_function(tmp_path: Path) -> None:
    report = checked(tmp_path, "def sgd(p, g, lr=0.1):\n    pass\n", "sgd", "sgd")
    assert report.verdict == "wrong"
    assert "returns nothing and changes nothing" in words(report)


def test_returns_none_after_computing(tmp_path: Path) -> None:
    report = checked(tmp_path, "def sgd(p, g, lr=0.1):\n    p = p - lr * g\n", "sgd", "sgd")
    assert report.verdict == "wrong"
    assert "returns nothing and changes nothing" in words(report)


def test_wrong_shapes(tmp_path: Path) -> None:
    report = checked(tmp_path, "def sgd(p, g, lr=0.1):\n    return (p - lr * g).ravel()\n", "sgd", "sgd")
    assert report.verdict == "could_not_run"
    assert "other shapes" in report.message


def test_the_gradient_is_modified(tmp_path: Path) -> None:
    report = checked(tmp_path, "def sgd(p, g, lr=0.1):\n    g *= lr\n    p -= g\n    return p\n", "sgd", "sgd")
    assert report.verdict == "wrong"
    assert "the gradient is changed by the step" in words(report)


def test_a_mutable_default_state(tmp_path: Path) -> None:
    code = "def momentum(p, g, lr=0.1, momentum=0.9, state={}):\n    state['b'] = momentum * state.get('b', 0 * p) + g\n"
    report = checked(tmp_path, code + "    return p - lr * state['b']\n", "momentum", "momentum")
    assert report.verdict in ("wrong", "could_not_run")
    assert "shared" in words(report) or "broadcast" in words(report)


def test_state_shared_between_instances(tmp_path: Path) -> None:
    code = RIGHT.replace("    def __init__", "    memory = {}\n\n    def __init__").replace(
        "self.m = self.v = None", "self.m = self.memory.get('m'); self.v = self.memory.get('v')"
    )
    code = code.replace("self.t += 1", "self.t += 1; self.memory.update(m=self.m, v=self.v)")
    report = checked(tmp_path, code)
    assert report.verdict in ("wrong", "could_not_run")
    assert report.exit_code != 0


def test_state_shared_between_parameters(tmp_path: Path) -> None:
    code = """
import numpy as np

class Momentum:
    def __init__(self, lr=0.1, momentum=0.9):
        self.lr, self.momentum, self.b = lr, momentum, 0.0

    def step(self, params, grads):
        for p, g in zip(params, grads):
            self.b = self.momentum * self.b + g.sum()
            p -= self.lr * self.b
"""
    report = checked(tmp_path, code, "Momentum", "momentum")
    assert report.verdict == "wrong"
    assert "shared between parameters" in words(report)


def test_the_step_counted_once_per_parameter(tmp_path: Path) -> None:
    report = checked(tmp_path, RIGHT.replace("        self.t += 1\n", "").replace("# HERE", "self.t += 1"))
    assert report.verdict == "wrong"
    assert "shared between parameters" in words(report)


def test_single_precision_on_the_way(tmp_path: Path) -> None:
    code = RIGHT.replace("np.zeros_like(p)", "np.zeros(p.shape, dtype=np.float32)").replace("m += (1", "m[...] = m + (1")
    report = checked(tmp_path, code)
    assert "single precision" in words(report)
    assert report.verdict == "right"


def test_a_mistake_in_text_json_and_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(RIGHT.replace("v / (1 - self.beta2**self.t)", "v / (1 - self.beta1**self.t)"), encoding="utf-8")
    told = CliRunner().invoke(main, ["check", f"{file}:Adam", "--as", "adam"])
    assert told.exit_code == 1
    assert "The second moment is corrected with β₁." in told.output
    assert "v̂ = v/(1 − β₂ᵗ)" in told.output
    data = json.loads(CliRunner().invoke(main, ["check", f"{file}:Adam", "--as", "adam", "--json"]).output)
    assert data["verdict"] == "wrong"
    assert data["reference"] == "adam"
    (mistake,) = data["mistakes"]
    assert mistake["name"] == "the second moment is corrected with β₁"
    assert mistake["equation"] == "v_hat"
    assert 0.99 < mistake["confidence"] < 1.0
    assert (mistake["expected"], mistake["yours"]) == ("v̂ = v/(1 − β₂ᵗ)", "v̂ = v/(1 − β₁ᵗ)")
    assert data["excluded"]
    hint = CliRunner().invoke(main, ["check", f"{file}:Adam", "--as", "adam", "--hint"]).output
    assert "Which β belongs to which moment?" in hint
    assert "corrected with" not in hint


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "nowhere.py:Adam"], ["check", "x.py:A", "--map", "lr"], ["check", "json:loads"]]
)
def test_bad_input_is_a_sentence_and_exit_code_2(arguments: list[str]) -> None:
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 2
    assert "Traceback" not in told.output


def test_unknown_arguments_are_mapped_by_the_user(tmp_path: Path) -> None:
    code = "def plain(p, g, zeta):\n    return p - zeta * g\n"
    assert "--map zeta=lr" in checked(tmp_path, code, "plain", "sgd").message
    file = tmp_path / "mine.py"
    assert check(f"{file}:plain", "sgd", mapping={"zeta": "lr"}).verdict == "right"


def test_recognised_by_what_it_does(tmp_path: Path) -> None:
    report = checked(tmp_path, RIGHT.replace("class Adam", "class Mine"), "Mine", None)
    assert (report.verdict, report.reference) == ("right", "adam")


def test_no_reference(tmp_path: Path) -> None:
    code = "def cubed(p, g, lr=0.1):\n    return p - lr * g**3\n"
    report = checked(tmp_path, code, "cubed", None)
    assert (report.verdict, report.exit_code) == ("no_reference", 2)
    assert any("against its gradient" in b for b in report.behaviour)
