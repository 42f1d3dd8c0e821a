"""More `tune` programs, drawn at random: teachers, clusters, noisy labels, chains of symbols, at many sizes.

Each seed fixes one task and one model for good. They only widen what thresholds are fitted on; none is ever reported.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from programs import PROGRAMS, Data, Program, Recurrent, Residual, conv1d, cross_entropy, mlp, squared_error, standard, tensors

COUNT, BOWLS = 24, 10


def clusters(rng: np.random.Generator) -> Any:
    """Gaussian clusters with some labels wrong: a loss floor that no training removes."""
    k, d = int(rng.choice([2, 3, 4, 7, 12, 20])), int(rng.integers(3, 30))
    n, wrong, apart = int(rng.integers(150, 900)), float(rng.choice([0, 0, 0.1, 0.25])), float(rng.uniform(0.6, 2.5))
    centres = rng.normal(size=(2 * k, d)) * apart

    def data(r: np.random.Generator) -> Data:
        c = r.integers(0, 2 * k, n + 300)
        y = np.where(r.uniform(size=len(c)) < wrong, r.integers(0, k, len(c)), c % k)
        return tensors(centres[c] + r.normal(size=(len(c), d)), y, r, n)

    return data, d, k, n


def weak(rng: np.random.Generator) -> Any:
    """A linear boundary buried in noise: the loss falls a little from ln 2 and that is all there is."""
    d, n, strength = int(rng.integers(4, 20)), int(rng.integers(300, 900)), float(rng.uniform(0.5, 1.2))
    w = rng.normal(size=d) / np.sqrt(d)

    def data(r: np.random.Generator) -> Data:
        x = r.normal(size=(n + 300, d))
        return tensors(x, (r.uniform(size=len(x)) < 1 / (1 + np.exp(-2 * strength * x @ w))).astype(int), r, n)

    return data, d, 2, n


def teacher(rng: np.random.Generator) -> Any:
    """Regression on a random two-layer teacher, with noise and any unit."""
    d, n, sigma, unit = (
        int(rng.integers(2, 20)),
        int(rng.integers(150, 900)),
        float(rng.choice([0.05, 0.3, 0.8])),
        10 ** rng.uniform(-1, 1),
    )
    a, b = rng.normal(size=(d, 8)) / np.sqrt(d) * rng.uniform(0.7, 2), rng.normal(size=8) / 2

    def data(r: np.random.Generator) -> Data:
        x = r.normal(size=(n + 300, d))
        y = np.tanh(x @ a) @ b
        return tensors(x, unit * (standard(y) + sigma * r.normal(size=len(y))), r, n, classes=False)

    return data, d, 0, n


def chain(rng: np.random.Generator) -> Any:
    """The next symbol of a Markov chain, from the last few: a floor at the chain's entropy."""
    k, length, n = int(rng.integers(3, 12)), int(rng.integers(5, 10)), int(rng.integers(300, 700))
    moves = np.cumsum(rng.dirichlet(np.full(k, 0.2), (k, k)), -1)

    def data(r: np.random.Generator) -> Data:
        x = r.integers(0, k, (n + 300, length + 1))
        for t in range(2, length + 1):
            u = r.uniform(size=(len(x), 1))
            x[:, t] = np.minimum((moves[x[:, t - 2], x[:, t - 1]] < u).sum(1), k - 1)
        return tensors(x[:, :-1], x[:, 1:], r, n)

    return data, k, k, n


def bowl(i: int) -> Program:
    """Full-batch gradient descent on a small noiseless problem: a quadratic of one to eight directions, or a small network."""
    rng = np.random.default_rng(9000 + i)
    d, n = int(rng.choice([1, 1, 2, 3, 8])), int(rng.integers(12, 60))
    scales, w, floor = 10 ** rng.uniform(-1, 0.5, d), rng.normal(size=d) * 3, float(rng.choice([0, 0, 0.2]))
    curved = i % 3 == 2

    def data(r: np.random.Generator) -> Data:
        x = r.normal(size=(n + 40, d)) * scales
        y = np.tanh(x @ w) if curved else x @ w + 1
        return tensors(x, y + floor * r.normal(size=len(y)), r, n, 40, classes=False)

    model = mlp([d, 8, 1]) if curved else mlp([d, 1])
    return Program(
        f"drawn-bowl-{i}",
        "tune",
        "reg",
        data,
        model,
        squared_error,
        batch=10**6,
        epochs=int(rng.choice([15, 40, 100, 250])),
        act="tanh",
    )


def draw(i: int) -> Program:
    """Program number i."""
    rng = np.random.default_rng(7000 + i)
    kind = ["clusters", "teacher", "weak", "clusters", "chain", "teacher"][i % 6]
    data, d, k, n = {"clusters": clusters, "weak": weak, "teacher": teacher, "chain": chain}[kind](rng)
    width, depth = int(rng.choice([8, 16, 32, 64])), int(rng.integers(0, 4))
    act = str(rng.choice(["relu", "relu", "tanh", "gelu", "sigmoid"]))
    batch = int(rng.choice([b for b in (8, 16, 32, 64, 128) if n / b >= 3]))
    epochs = int(np.clip(rng.uniform(250, 900) / (n / batch), 10, 200))
    options: dict[str, Any] = {"batch": batch, "epochs": epochs, "act": act, "classes": k}
    name = f"drawn-{i:02d}-{kind}"
    if kind == "chain":
        cell = str(rng.choice(["gru", "rnn", "lstm"]))
        return Program(
            name,
            "tune",
            "lm",
            data,
            lambda act, dropout: Recurrent(cell, d, 16, d, last=False),
            cross_entropy,
            tokens=True,
            **options,
        )
    model = mlp([d, *[width] * depth, max(k, 1)], norm=bool(depth and rng.uniform() < 0.25))
    if depth == 3 and rng.uniform() < 0.5:
        model = lambda act, dropout: Residual(d, width, 3, max(k, 1), act, dropout)  # noqa: E731
    elif d >= 8 and rng.uniform() < 0.2:
        model = conv1d(6, d, max(k, 1))
    return Program(name, "tune", "class" if k else "reg", data, model, cross_entropy if k else squared_error, **options)


PROGRAMS.update({p.name: p for p in [*map(draw, range(COUNT)), *map(bowl, range(BOWLS))]})
