"""The parent's side of the child process: start, ask, time out, and say what happened."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from descend.check.loading import Failed

__all__ = ["Child", "Local"]

#: Characters of the user's own output that are kept.
KEPT = 2000


class Local:
    """The same conversation without a child: for a class that only exists in this process, as in a test."""

    printed = ""

    def __init__(self, target: Any, adapter: str | None = None, hyper: Sequence[str] = ()) -> None:
        from descend.check.subject import Subject

        self.subject = Subject(target, adapter, hyper)

    def open(self) -> dict[str, Any]:
        """What it is."""
        return self.subject.describe()

    def run(self, requests: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Run probes."""
        return [self.subject.run(json.loads(json.dumps(r))) for r in requests]

    def affordable(self, steps: int) -> int:
        """There is no limit of time here."""
        return steps

    def close(self) -> None:
        """Nothing to end."""


class Child:
    """A child process that holds the user's optimizer. It is killed when it takes too long."""

    def __init__(
        self,
        target: str,
        adapter: str | None = None,
        hyper: Sequence[str] = (),
        *,
        seconds: float = 20.0,
        megabytes: int = 4096,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.hyper, self.environment = list(hyper), environment or {}
        self.target, self.adapter, self.seconds, self.megabytes = target, adapter, seconds, megabytes
        self.path = str(Path(target.rpartition(":")[0]).expanduser().resolve()) if ".py:" in target else None
        self.printed = ""
        #: Seconds a usual step took in the last runs: the first of a shape may be compiled, which says nothing of the others.
        self.pace = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self) -> None:
        answers_in, answers_out = os.pipe()
        traces_in, traces_out = os.pipe()
        command = [sys.executable, "-m", "descend.check.child", str(answers_out), str(traces_out), str(self.megabytes)]
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "JAX_PLATFORMS": "cpu",
            "PYTHONPATH": _path(),
            "KERAS_BACKEND": _keras(),
            **self.environment,
        }
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(answers_out, traces_out),
            env=environment,
            start_new_session=True,
        )
        os.close(answers_out)
        os.close(traces_out)
        self._answers, self._traces = os.fdopen(answers_in, "rb"), os.fdopen(traces_in, "rb")
        threading.Thread(target=self._drain, args=(self._process.stdout,), daemon=True).start()

    def _drain(self, pipe: Any) -> None:
        """Keep the first of what is printed, read and drop the rest."""
        with pipe:
            while data := pipe.read1(65536):
                if len(self.printed) < KEPT:
                    self.printed += data.decode("utf-8", "replace")[: KEPT - len(self.printed)]

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One question, one answer; a `Failed` that says what happened where there is none."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write((json.dumps(request | {"seconds": self.seconds}) + "\n").encode())
            process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        line = self._read_line(time.monotonic() + self.seconds + 5.0)
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise Failed(answer["failed"], answer.get("line"))
        return answer

    def _read_line(self, deadline: float) -> bytes:
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            buffer = b""
            while (left := deadline - time.monotonic()) > 0:
                if selector.select(left):
                    data = os.read(self._answers.fileno(), 1 << 20)
                    if not data:
                        return b""
                    buffer += data
                    if data.endswith(b"\n"):
                        return buffer
        return b""

    def _ended(self) -> Failed:
        """Why there was no answer: the time limit with the line it was at, an exit, or a signal."""
        process = self._process
        assert process is not None
        try:
            code = process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            code = None
        self._kill()
        trace = self._traces.read().decode("utf-8", "replace")
        self.close()
        if "Timeout" in trace or code is None:
            place, line = _last_place(trace, self.path)
            where = f"{place}: " if place else ""
            return Failed(f"{where}your code did not finish within {self.seconds:g} s: an infinite loop?", line)
        if code < 0:
            return Failed(f"your code ended the process with signal {-code}")
        return Failed(f"your code ended the process with exit code {code}")

    def open(self) -> dict[str, Any]:
        """Load the user's object and say what it is."""
        answer = self.ask({"do": "open", "target": self.target, "adapter": self.adapter, "hyper": self.hyper})
        self.path = answer.get("path")
        return answer

    def names_in(self, module: str) -> list[str]:
        """The optimizers of an installed module."""
        names: list[str] = self.ask({"do": "list", "target": module})["names"]
        return names

    def run(self, requests: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Run probes."""
        answers: list[dict[str, Any]] = self.ask({"do": "run", "requests": list(requests)})["answers"]
        paces = [a["pace"] for a in answers if "pace" in a]
        self.pace = statistics.median(paces) if paces else self.pace
        return answers

    def affordable(self, steps: int) -> int:
        """As many steps as take a quarter of the time limit at the pace of the last run."""
        return min(steps, int(self.seconds / 4 / max(self.pace, 1e-9)))

    def close(self) -> None:
        """End the child, and whatever it started."""
        process = self._process
        if process is None:
            return
        self._kill()
        for pipe in (process.stdin, self._answers, self._traces):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._process = None

    def _kill(self) -> None:
        """The child and what it started; the group may outlive its leader."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, 9)
        if process.poll() is None:
            process.kill()
            process.wait()


def _path() -> str:
    own = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([own, *filter(None, [os.environ.get("PYTHONPATH")])])


def _keras() -> str:
    return os.environ.get("KERAS_BACKEND", "torch")


def _last_place(trace: str, path: str | None) -> tuple[str, str | None]:
    """The innermost line of the user's file in a dump of all threads."""
    for file, number in re.findall(r'File "([^"]+)", line (\d+)', trace):
        if path is not None and Path(file) == Path(path):
            lines = Path(file).read_text(encoding="utf-8").splitlines()
            return f"{Path(file).name}:{number}", lines[int(number) - 1].strip()
    return "", None
