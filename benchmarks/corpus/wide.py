"""Many more `tune` programs of other kinds, drawn at random, each with fewer runs than a program written by hand.

What carries over to a new program is learned from many programs, not from many runs of one: thirty-eight draws from ten
families, at strengths drawn from a range. None is ever reported, and none has the task of a program that is.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from programs import (
    PROGRAMS,
    Data,
    Factors,
    Program,
    Recurrent,
    Residual,
    Transformer,
    conv1d,
    conv2d,
    cross_entropy,
    gaussian_nll,
    mlp,
    poisson_nll,
    squared_error,
    standard,
    tensors,
)  # fmt: skip
from torch import Tensor
from train import Recipe

COUNT, FAULTS, HEALTHY = 38, 48, 24
Drawn = tuple[Any, dict[str, Any]]


def absolute_error(out: Tensor, y: Tensor) -> Tensor:
    return (out.reshape(y.shape) - y).abs().mean()


def quantile_error(out: Tensor, y: Tensor) -> Tensor:
    rest = y - out.reshape(y.shape)
    return torch.maximum(0.8 * rest, -0.2 * rest).mean()


def body(rng: np.random.Generator, d: int, k: int) -> tuple[Any, dict[str, Any]]:
    """A dense network for d inputs and k outputs, of any depth from none on."""
    width, depth = int(rng.choice([6, 12, 24, 48, 96])), int(rng.choice([0, 1, 1, 2, 2, 3, 5]))
    act = str(rng.choice(["relu", "relu", "tanh", "gelu", "sigmoid"] if depth < 4 else ["relu", "tanh", "gelu"]))
    if depth >= 3 and rng.uniform() < 0.5:
        return (lambda act, dropout: Residual(d, width, depth, k, act, dropout)), {"act": act}
    return mlp([d, *[width] * depth, k], norm=bool(depth and rng.uniform() < 0.2)), {"act": act}


def trees(rng: np.random.Generator) -> Drawn:
    """Labels from a random decision tree, some of them wrong, classes of any frequency."""
    d, k, n = int(rng.integers(3, 15)), int(rng.choice([2, 2, 3, 5, 8])), int(rng.integers(200, 900))
    depth, wrong = int(rng.integers(2, 5)), float(rng.choice([0, 0, 0.05, 0.2]))
    axis, cut = rng.integers(0, d, 2**depth), rng.normal(size=2**depth) * 0.4
    leaf = rng.choice(k, 2**depth, p=rng.dirichlet(np.full(k, 3.0)))

    def data(r: np.random.Generator) -> Data:
        x = r.normal(size=(n + 300, d))
        at = np.ones(len(x), int)
        for _ in range(depth - 1):
            at = 2 * at + (x[np.arange(len(x)), axis[at]] > cut[at])
        y = np.where(r.uniform(size=len(x)) < wrong, r.integers(0, k, len(x)), leaf[at])
        return tensors(x, y, r, n)

    model, options = body(rng, d, k)
    return data, {"kind": "class", "classes": k, "model": model, "n": n} | options


def bumps(rng: np.random.Generator) -> Drawn:
    """Regression on a sum of bumps with noise of any size, sometimes heavy-tailed, under four losses."""
    d, n, unit = int(rng.integers(1, 10)), int(rng.integers(150, 900)), 10 ** rng.uniform(-1, 1)
    centres, heights = rng.normal(size=(6, d)), 2 * rng.normal(size=6)
    sigma, tail = float(rng.choice([0.02, 0.2, 0.7, 1.5])), float(rng.choice([3, 100, 100]))
    kind, loss = [
        ("reg", squared_error), ("reg", squared_error), ("nll", gaussian_nll), ("absolute", absolute_error),
        ("quantile", quantile_error),
    ][rng.integers(5)]  # fmt: skip
    unit = unit if kind == "reg" else 1.0

    def data(r: np.random.Generator) -> Data:
        x = r.normal(size=(n + 300, d))
        near = np.exp(-((x[:, None] - centres) ** 2).sum(-1) / d)
        y = standard(near @ heights + 0.3 * x[:, 0]) + sigma * r.standard_t(tail, len(x))
        return tensors(x, unit * y, r, n, classes=False)

    model, options = body(rng, d, 2 if kind == "nll" else 1)
    return data, {"kind": kind, "loss": loss, "model": model, "n": n} | options


def counts(rng: np.random.Generator) -> Drawn:
    d, n = int(rng.integers(3, 12)), int(rng.integers(250, 800))
    w = rng.normal(size=d) / math.sqrt(d)

    def data(r: np.random.Generator) -> Data:
        x = r.normal(size=(n + 300, d))
        return tensors(x, r.poisson(np.exp(0.7 * np.sin(2 * x @ w) + 0.8)).astype(float), r, n, classes=False)

    model, options = body(rng, d, 1)
    return data, {"kind": "poisson", "loss": poisson_nll, "model": model, "n": n} | options


def gratings(rng: np.random.Generator) -> Drawn:
    """Images of stripes: the class is their direction or their width."""
    side, k, n = int(rng.choice([6, 8, 12])), int(rng.choice([2, 4, 7])), int(rng.integers(250, 600))
    noise, turn = float(rng.uniform(0.2, 1.2)), bool(rng.uniform() < 0.6)

    def data(r: np.random.Generator) -> Data:
        y, (i, j) = r.integers(0, k, n + 250), np.mgrid[0:side, 0:side]
        angle, pitch = (np.pi * y / k, 1.2) if turn else (0.3, 0.5 + 2 * y / k)
        wave = np.cos(angle)[..., None, None] * i + np.sin(angle)[..., None, None] * j
        phase = r.uniform(0, 6.3, (len(y), 1, 1))
        x = np.sin(np.reshape(pitch, (-1, 1, 1)) * wave + phase) + noise * r.normal(size=(len(y), side, side))
        return tensors(x, y, r, n)

    act = str(rng.choice(["relu", "gelu", "tanh"]))
    return data, {"kind": "class", "classes": k, "model": conv2d(int(rng.choice([4, 6, 10])), side, k), "act": act, "n": n}


def signals(rng: np.random.Generator) -> Drawn:
    """Noisy series told apart by their own past, read by a convolution or a recurrent layer."""
    length, k, n = int(rng.choice([12, 20, 32])), int(rng.choice([2, 3, 5])), int(rng.integers(250, 600))
    a, b = rng.uniform(-0.9, 0.9, k), rng.uniform(-0.5, 0.4, k)

    def data(r: np.random.Generator) -> Data:
        y = r.integers(0, k, n + 250)
        x = r.normal(size=(len(y), length))
        for t in range(2, length):
            x[:, t] += np.clip(a[y] * x[:, t - 1] + b[y] * x[:, t - 2], -4, 4)
        return tensors(x if convolve else x[:, :, None], y, r, n)

    convolve = bool(rng.uniform() < 0.6)
    cell = str(rng.choice(["gru", "lstm"]))
    model = conv1d(8, length, k) if convolve else lambda act, dropout: Recurrent(cell, 1, 16, k, tokens=False)
    return data, {"kind": "class", "classes": k, "model": model, "n": n}


def forecasts(rng: np.random.Generator) -> Drawn:
    """The next value of a noisy oscillation, by a recurrent layer or a dense one on the window."""
    length, n, sigma = int(rng.choice([6, 10, 16])), int(rng.integers(250, 700)), float(rng.choice([0.05, 0.3, 0.8]))
    pace = float(rng.uniform(0.3, 1.5))

    def data(r: np.random.Generator) -> Data:
        t = np.arange(length + 1)
        wave = np.sin(pace * t * r.uniform(0.8, 1.2, (n + 250, 1)) + r.uniform(0, 6.3, (n + 250, 1)))
        x = wave + sigma * r.normal(size=wave.shape)
        return tensors(x[:, :-1] if dense else x[:, :-1, None], x[:, -1], r, n, classes=False)

    dense = bool(rng.uniform() < 0.5)
    model, options = body(rng, length, 1)
    cell = str(rng.choice(["gru", "rnn", "lstm"]))
    return data, {"kind": "reg", "n": n} | (
        {"model": model} | options
        if dense
        else {"model": lambda act, dropout: Recurrent(cell, 1, 16, 1, tokens=False), "act": "tanh"}
    )


def low_rank(rng: np.random.Generator) -> Drawn:
    """An autoencoder of points near a plane or a curved sheet."""
    d, rank, n = int(rng.choice([8, 20, 40])), int(rng.integers(1, 5)), int(rng.integers(300, 800))
    a, sigma, bent = rng.normal(size=(rank, d)), float(rng.choice([0.05, 0.3])), bool(rng.uniform() < 0.5)

    def data(r: np.random.Generator) -> Data:
        z = r.normal(size=(n + 250, rank)) @ a
        x = (np.tanh(z) if bent else z) + sigma * r.normal(size=(n + 250, d))
        return tensors(x, x, r, n, classes=False)

    width, act = int(rng.choice([16, 32])), str(rng.choice(["relu", "tanh", "gelu"]))
    return data, {"kind": "reg", "model": mlp([d, width, rank + 1, width, d]), "act": act, "n": n}


def symbols(rng: np.random.Generator) -> Drawn:
    """Tasks on short strings: rotate, sort, running maximum (a label a place), or which symbol comes first twice."""
    k, length, n = int(rng.integers(4, 10)), int(rng.choice([5, 7, 10])), int(rng.integers(350, 700))
    task = str(rng.choice(["rotate", "sort", "maximum", "count"]))

    def data(r: np.random.Generator) -> Data:
        x = r.integers(0, k, (n + 250, length))
        y = {
            "rotate": np.roll(x, 2, 1), "sort": np.sort(x, 1), "maximum": np.maximum.accumulate(x, 1),
            "count": np.minimum((x == 0).sum(1), 3),
        }[task]  # fmt: skip
        return tensors(x, y, r, n)

    width, act = int(rng.choice([16, 32])), "gelu"
    if task == "count" or (task == "maximum" and rng.uniform() < 0.5):
        cell, last = str(rng.choice(["gru", "lstm"])), task == "count"
        model: Any = lambda act, dropout: Recurrent(cell, k, width, k, last=last)  # noqa: E731
    else:
        model = lambda act, dropout: Transformer(k, length, width, k, False, dropout)  # noqa: E731
    kind = "class" if task == "count" else "lm"
    return data, {"kind": kind, "loss": cross_entropy, "classes": k, "model": model, "act": act, "n": n, "tokens": True}


def ratings(rng: np.random.Generator) -> Drawn:
    users, items, rank = int(rng.integers(30, 90)), int(rng.integers(20, 60)), int(rng.integers(1, 5))
    n, sigma = int(rng.integers(800, 2000)), float(rng.choice([0.1, 0.5, 1.0]))
    u, v = rng.normal(size=(users, rank)), rng.normal(size=(items, rank))

    def data(r: np.random.Generator) -> Data:
        pairs = np.stack([r.integers(0, users, n + 400), r.integers(0, items, n + 400)], 1)
        y = (u[pairs[:, 0]] * v[pairs[:, 1]]).sum(1) + sigma * r.normal(size=len(pairs))
        return tensors(pairs, y, r, n, 400, classes=False)

    return data, {"kind": "reg", "model": lambda act, dropout: Factors(users, items, rank + 2), "n": n, "tokens": True}


FAMILIES = (trees, bumps, bumps, counts, gratings, signals, forecasts, low_rank, symbols, trees, bumps, ratings)


def draw(i: int) -> Program:
    """Program number i: a family, its sizes, a batch and a length of about 150 to 600 steps."""
    rng = np.random.default_rng(31000 + i)
    family = FAMILIES[i % len(FAMILIES)]
    data, o = family(rng)
    n = o.pop("n")
    batch = int(rng.choice([b for b in (8, 16, 32, 64, 128, 256) if 2.5 <= n / b <= 60]))
    epochs = int(np.clip(rng.uniform(150, 600) / max(n // batch, 1), 10, 150))
    loss = o.pop("loss", None) or (cross_entropy if o["kind"] == "class" else squared_error)
    return Program(f"wide-{i:02d}-{family.__name__}", "tune", data=data, loss=loss, batch=batch, epochs=epochs, **o)


def thinned(recipes: list[Recipe], rng: np.random.Generator) -> list[Recipe]:
    """Some of the recipes, each at a strength drawn about its own."""
    chosen = sorted(rng.choice(len(recipes), min(FAULTS, len(recipes)), replace=False))
    return [jittered(recipes[i], rng) for i in chosen]


def jittered(r: Recipe, rng: np.random.Generator) -> Recipe:
    """The same fault a little stronger or weaker."""
    by = float(10 ** rng.uniform(-0.25, 0.25))
    if r.fault in ("lr-too-high", "lr-too-low", "flipped-sign", "missing-zero-grad", "not-stepping"):
        return replace(r, lr=r.lr * by)
    if r.fault == "momentum-too-high":
        return replace(r, beta=1 - (1 - r.beta) * by)
    if r.fault == "weight-decay":
        return replace(r, weight_decay=r.weight_decay * by)
    if r.fault == "schedule-too-early":
        when, share = 10 ** rng.uniform(-1.7, -0.8), 10 ** rng.uniform(-4, -1.5)
        return replace(r, schedule=f"early:{when:.4f}:{share:.2g}")
    if r.fault in (
        "over-clipping",
        "init-scale",
        "dead-units",
        "saturated-units",
        "spike",
        "distribution-shift",
        "overfitting",
    ):
        top = 0.95 if r.fault == "distribution-shift" and r.strength < 1 else math.inf
        return replace(r, strength=min(r.strength * by, top))
    return r


PROGRAMS.update({p.name: p for p in map(draw, range(COUNT))})
