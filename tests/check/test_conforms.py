"""`assert_conforms` as library authors use it: silent where an optimizer is right, the explanation as the message where not."""

from __future__ import annotations

import subprocess
import sys
import unittest
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from descend.check import assert_conforms


def torch_adam(right: bool) -> type[torch.optim.Optimizer]:
    """A class that exists only where it is made."""

    class Adam(torch.optim.Optimizer):
        def __init__(self, params: Any, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8) -> None:
            super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

        @torch.no_grad()
        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                (b1, b2), corrected = group["betas"], group["betas"][1 if right else 0]
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    s = self.state[p]
                    if not s:
                        s.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                    s["t"] += 1
                    s["m"].mul_(b1).add_(p.grad, alpha=1 - b1)
                    s["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                    root = (s["v"] / (1 - corrected ** s["t"])).sqrt()
                    p.sub_(group["lr"] * s["m"] / (1 - b1 ** s["t"]) / (root + group["eps"]))

    return Adam


def optax_adam(root: Any) -> Any:
    """A factory that closes over a function."""

    def adam(
        learning_rate: float = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8
    ) -> optax.GradientTransformation:
        def init(params: Any) -> Any:
            return (0, [jnp.zeros_like(p) for p in params], [jnp.zeros_like(p) for p in params])

        def update(grads: Any, state: Any, params: Any = None) -> Any:
            t, m, v = state[0] + 1, state[1], state[2]
            m = [b1 * a + (1 - b1) * g for a, g in zip(m, grads, strict=True)]
            v = [b2 * a + (1 - b2) * g**2 for a, g in zip(v, grads, strict=True)]
            hats = [(a / (1 - b1**t), b / (1 - b2**t)) for a, b in zip(m, v, strict=True)]
            return [-learning_rate * a / root(b, eps) for a, b in hats], (t, m, v)

        return optax.GradientTransformation(init, update)

    return adam


def test_nothing_happens_where_it_is_right() -> None:
    def lion(p, g, m, lr=1e-4, beta1=0.9, beta2=0.99):  # type: ignore[no-untyped-def]
        return p - lr * np.sign(beta1 * m + (1 - beta1) * g), beta2 * m + (1 - beta2) * g

    assert assert_conforms(torch_adam(True), "adam") is None  # type: ignore[func-returns-value]
    assert_conforms(lion, "lion")
    assert_conforms(optax_adam(lambda v, eps: jnp.sqrt(v) + eps), "adam")
    assert_conforms(torch.optim.AdamW, "adamw")
    assert_conforms(optax.rmsprop, "rmsprop")  # a dialect


def test_factories_and_partials_of_torch_optimizers() -> None:
    assert_conforms(partial(torch.optim.SGD, momentum=0.9, nesterov=True), "nesterov")
    assert_conforms(lambda params, lr=0.1: torch.optim.SGD(params, lr=lr), "sgd")
    with pytest.raises(AssertionError, match="sign"):
        assert_conforms(lambda params, lr=0.1: torch.optim.SGD(params, lr=lr, maximize=True), "sgd")


def test_the_message_is_the_explanation() -> None:
    with pytest.raises(AssertionError) as told:
        assert_conforms(torch_adam(False), "adam")
    message = str(told.value)
    assert "wrong, here" in message
    assert "The second moment is corrected with β₁." in message
    assert "v̂ = v/(1 − β₂ᵗ)" in message
    assert "largest difference" in message

    def adam(p, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        m, v = beta1 * m + g, beta2 * v + (1 - beta2) * g**2
        return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v

    with pytest.raises(AssertionError, match="The new gradient is not weighted by 1 − β₁"):
        assert_conforms(adam, "adam")
    with pytest.raises(AssertionError, match="ε stands inside the root"):
        assert_conforms(optax_adam(lambda v, eps: jnp.sqrt(v + eps)), "adam")


def test_code_that_fails_is_an_assertion_with_the_line() -> None:
    def broken(p, g, lr=0.1):  # type: ignore[no-untyped-def]
        return p - lr * gg  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(AssertionError, match=r"test_conforms\.py:\d+: NameError"):
        assert_conforms(broken, "sgd")

    def leaves(p, g, lr=0.1):  # type: ignore[no-untyped-def]
        sys.exit(0)

    with pytest.raises(AssertionError, match=r"ended the process with exit\(0\)"):
        assert_conforms(leaves, "sgd")


def test_a_rule_that_does_not_exist_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="adamm"):
        assert_conforms(torch.optim.Adam, "adamm")


USED = """
import numpy as np
import pytest
from descend.check import assert_conforms

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
            p -= self.lr * m / (1 - self.beta1**self.t) / (np.sqrt(v / (1 - BETA**self.t)) + self.eps)

def test_mine():
    assert_conforms(Adam, RULE)
"""


def run_pytest(tmp_path: Path, rule: str, beta: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "test_theirs.py"
    file.write_text(USED.replace("RULE", repr(rule)).replace("BETA", beta), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(file)]
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)


def test_in_somebodys_suite_the_traceback_shows_their_line_and_none_of_ours(tmp_path: Path) -> None:
    told = run_pytest(tmp_path, "adam", "self.beta1")
    assert told.returncode == 1
    assert ">       assert_conforms(Adam, 'adam')" in told.stdout
    assert "The second moment is corrected with β₁." in told.stdout
    places = [line for line in told.stdout.splitlines() if ".py:" in line]
    assert any(line.startswith("test_theirs.py:") for line in places)
    assert not any("descend" in line or "conforms.py" in line for line in places), places
    assert run_pytest(tmp_path, "adam", "self.beta2").returncode == 0


def test_a_misspelt_rule_shows_none_of_our_frames_either(tmp_path: Path) -> None:
    told = run_pytest(tmp_path, "adamm", "self.beta2")
    assert told.returncode == 1
    assert "DescendError" in told.stdout
    assert not any("descend/" in line for line in told.stdout.splitlines())


def test_in_unittest_too() -> None:
    class Case(unittest.TestCase):
        def test(self) -> None:
            assert_conforms(lambda p, g, lr=0.1: p + lr * g, "sgd")

    result = unittest.TestResult()
    Case("test").run(result)
    ((_, text),) = result.failures
    assert "The step has the wrong sign" in text
    assert "descend/check" not in text
