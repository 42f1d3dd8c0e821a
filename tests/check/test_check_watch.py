"""`descend check --watch`: a process of its own, saved to as editors save; nothing here depends on how long it takes."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ADAM = """
import numpy as np

class Adam:
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.t, self.m = lr, beta1, beta2, eps, 0, None

    def step(self, params, grads):
        self.t += 1
        if self.m is None:
            self.m, self.v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
        for p, g, m, v in zip(params, grads, self.m, self.v):
            m += (1 - self.beta1) * (g - m)
            v += (1 - self.beta2) * (g * g - v)
            p -= self.lr * m / (1 - self.beta1**self.t) / (np.sqrt(v / (1 - self.beta2**self.t)) + self.eps)
"""
WRONG = ADAM.replace("1 - self.beta2**self.t", "1 - self.beta1**self.t")
#: How long to wait for what must come: for a machine that does other things as well.
PATIENCE = 180.0


class Watching:
    """The command at work, with what it has said so far."""

    def __init__(self, file: Path, *more: str) -> None:
        self.file = file
        command = [sys.executable, "-m", "descend", "check", "--watch", f"{file}:Adam", "--as", "adam", *more]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=environment
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as pipe:
            for line in pipe:
                self.lines.put(line)
        self.lines.put(None)

    def until(self, *wanted: str) -> str:
        """What it says up to the first line that holds one of these words."""
        heard = []
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                line = self.lines.get(timeout=1.0)
            except queue.Empty:
                continue
            if line is None:
                break
            heard.append(line)
            if any(w in line for w in wanted):
                return "".join(heard)
        raise AssertionError(f"it never said {wanted}, but:\n{''.join(heard)}")

    def round(self) -> str:
        """One verdict."""
        return self.until("waiting for the next save")

    def until_round_with(self, words: str) -> str:
        """The first verdict with these words: saves may come in pieces, and each piece may get a verdict."""
        while words not in (heard := self.round()):
            pass
        return heard

    def replace(self, text: str) -> None:
        """Save as many editors do: a file beside it, then renamed."""
        beside = self.file.with_name(".mine.py.swp~")
        beside.write_text(text, encoding="utf-8")
        beside.replace(self.file)

    def interrupt(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    file = tmp_path / "mine.py"
    file.write_text(WRONG, encoding="utf-8")
    at_work = Watching(file)
    yield at_work
    if at_work.process.poll() is None:
        at_work.process.kill()
    at_work.process.wait()


def test_a_verdict_for_every_save_until_interrupted(watching: Watching) -> None:
    assert "The second moment is corrected with β₁." in watching.round()
    watching.file.write_text(ADAM, encoding="utf-8")
    assert "Equal to PyTorch's Adam." in watching.until_round_with("right")
    watching.replace(ADAM.replace("class Adam:", "class Adam(:"))
    assert "mine.py:4: SyntaxError" in watching.until_round_with("could not run")
    watching.file.unlink()
    time.sleep(0.5)  # long enough for it to look; it must say nothing and go on
    assert watching.process.poll() is None
    assert watching.lines.empty()
    watching.file.write_text(WRONG, encoding="utf-8")
    assert "The second moment is corrected with β₁." in watching.until_round_with("wrong, here")


def test_saved_while_checking(watching: Watching) -> None:
    watching.round()
    entered = watching.file.with_name("entered")
    slow = f"import pathlib, time\npathlib.Path({str(entered)!r}).write_text('')\ntime.sleep(2)\n"
    watching.file.write_text(slow + WRONG, encoding="utf-8")
    deadline = time.monotonic() + PATIENCE
    while not entered.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    watching.replace(ADAM)  # the check of the file before is at work
    assert "wrong, here" in watching.round()
    assert "Equal to PyTorch's Adam." in watching.round()


def test_ctrl_c_ends_it_with_0_and_without_a_traceback(watching: Watching) -> None:
    watching.round()
    assert watching.interrupt() == 0
    assert "Traceback" not in watching.until("stopped")


def test_ctrl_c_in_the_middle_of_a_check_leaves_no_process(watching: Watching) -> None:
    watching.round()
    told = watching.file.with_name("pid")
    code = f"import os, pathlib, time\npathlib.Path({str(told)!r}).write_text(str(os.getpid()))\ntime.sleep(1000)\n"
    watching.replace(code + ADAM)
    deadline = time.monotonic() + PATIENCE
    while not (told.exists() and told.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child = int(told.read_text())
    assert watching.interrupt() == 0
    assert "Traceback" not in watching.until("stopped")
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    at_work = Watching(tmp_path / "none.py")
    assert at_work.process.wait(PATIENCE) == 2
    assert "there is no file" in at_work.until("there is no file")


def test_a_rule_that_does_not_exist_ends_it_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(ADAM, encoding="utf-8")
    at_work = Watching(file, "--as", "adamm")
    assert at_work.process.wait(PATIENCE) == 2
