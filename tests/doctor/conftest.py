"""Curves for the doctor's tests: corpus runs kept beside the tests, and gradient descent by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from descend.trace import Trace, column


def load_cases() -> dict[str, Trace]:
    """Name ("lr-too-high/sick") -> trace."""
    with np.load(Path(__file__).with_name("cases.npz")) as archive:
        names = json.loads(str(archive["names"]))
        keys = [k.rsplit("/", 2) for k in archive.files if k.endswith("/value")]
        return {
            name: Trace({k: column(archive[f"{n}/{k}/step"], archive[f"{n}/{k}/value"]) for n, k, _ in keys if n == name})
            for name in names
        }


@pytest.fixture(scope="session")
def cases() -> dict[str, Trace]:
    return load_cases()


def quadratic(lr: float, curvatures: list[float], steps: int, sign: float = 1.0, noise: float = 0.0, seed: int = 0) -> Trace:
    """Gradient descent on ½Σλx², with loss, lr and gradient norm at every step."""
    rng, lam = np.random.default_rng(seed), np.array(curvatures)
    x = np.ones(len(lam))
    rows = []
    for _ in range(steps):
        g = lam * x + noise * rng.normal(size=len(lam))
        rows.append((0.5 * float(lam @ x**2), lr, float(np.linalg.norm(g))))
        x = x - sign * lr * g
    loss, rates, norms = np.array(rows).T
    at = np.arange(steps)
    return Trace({"loss": column(at, loss), "lr": column(at, rates), "grad_norm": column(at, norms)})
