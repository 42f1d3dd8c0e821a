"""The tasks of the sealed split: fifteen programs in NumPy, JAX and PyTorch that share no data, task or model with the others.

They were written, and their runs were trained, before the scorer they judge was last changed, and the report reads them once.
Each task is its data (NumPy arrays) and a network for one of three backends; how it is trained is in `sealed.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Task:
    """A task and its model; `kind` is class, binary, reg or huber, and says which loss is minimised."""

    name: str
    backend: str
    kind: str
    data: Callable[[np.random.Generator], Arrays]
    model: Any  # numpy: layer sizes; jax: (init, apply); torch: function of the dropout
    batch: int
    epochs: int
    tokens: bool = False
    hidden: bool = True  # whether there are hidden units to kill or saturate


def split(x: Any, y: Any, n: int) -> Arrays:
    """The first n rows to train on, the others to validate."""
    x = np.asarray(x)
    x = x.astype(np.float32) if x.dtype.kind == "f" else x
    y = np.asarray(y)
    y = y.astype(np.float32) if y.dtype.kind == "f" else y.astype(np.int64)
    return x[:n], y[:n], x[n:], y[n:]


def unit(x: Any) -> Any:
    return (x - x.mean(0)) / (x.std(0) + 1e-9)


# --------------------------------------------------------------------------------------------------------------- data


def sparse_huber(rng: np.random.Generator) -> Arrays:
    from sklearn.datasets import make_sparse_uncorrelated

    x, y = make_sparse_uncorrelated(760, 10, random_state=int(rng.integers(1e6)))
    wild = rng.uniform(size=len(y)) < 0.06
    return split(x, (y + wild * 12 * rng.normal(size=len(y)))[:, None], 520)


def many_blobs(rng: np.random.Generator) -> Arrays:
    from sklearn.datasets import make_blobs

    x, y = make_blobs(900, 6, centers=15, cluster_std=2.2, random_state=int(rng.integers(1e6)))
    return split(unit(x), y, 620)


def rings(rng: np.random.Generator) -> Arrays:
    from sklearn.datasets import make_circles

    x, y = make_circles(640, noise=0.12, factor=0.45, random_state=int(rng.integers(1e6)))
    return split(x, y[:, None].astype(float), 420)


def chebyshev(rng: np.random.Generator) -> Arrays:
    t = rng.uniform(-1, 1, 260)
    y = np.exp(t) * np.sin(4 * t) + 0.1 * rng.normal(size=260)
    return split(np.polynomial.chebyshev.chebvander(t, 11), 7 * y[:, None], 180)


def friedman3(rng: np.random.Generator) -> Arrays:
    from sklearn.datasets import make_friedman3

    x, y = make_friedman3(760, noise=0.1, random_state=int(rng.integers(1e6)))
    return split(unit(x), unit(y)[:, None], 500)


def pixels(rng: np.random.Generator) -> Arrays:
    """Places of a photograph and their grey level."""
    from sklearn.datasets import load_sample_image

    grey = load_sample_image("china.jpg")[100:340:5, 200:520:5].mean(-1) / 255.0
    i, j = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    at = np.stack([2 * i.ravel() / grey.shape[0] - 1, 2 * j.ravel() / grey.shape[1] - 1], 1)
    waves = np.concatenate([f(np.pi * at * k) for k in (0.5, 1, 2, 3) for f in (np.sin, np.cos)], 1)
    order = rng.permutation(len(at))[:1300]
    return split(waves[order], grey.ravel()[order][:, None], 950)


def bags(rng: np.random.Generator) -> Arrays:
    """Ten draws of one of five distributions of unit variance: which?"""
    y = rng.integers(0, 5, 800)
    size = (800, 10)
    kinds = np.stack(
        [
            rng.normal(size=size), rng.uniform(-(3**0.5), 3**0.5, size), rng.exponential(size=size) - 1,
            rng.choice([-1.0, 1.0], size) + 0.1 * rng.normal(size=size), 1 - rng.exponential(size=size),
        ]
    )  # fmt: skip
    return split(kinds[y, np.arange(800)][:, :, None], y, 540)


SYMBOLS = "abcdefghijklmnopqrstuvwxyz()[]{}=.,:_ \n'\"#0123456789+-*/<>"


def source_code(rng: np.random.Generator) -> Arrays:
    """Windows of the standard library's own source, each character's successor to be named."""
    import difflib
    import textwrap

    text = (inspect.getsource(difflib) + inspect.getsource(textwrap)).lower()
    codes = np.array([SYMBOLS.index(c) for c in text if c in SYMBOLS])
    starts = rng.integers(0, len(codes) - 30, 560)
    rows = np.stack([codes[s : s + 25] for s in starts])
    return split(rows[:, :-1], rows[:, 1:], 420)


def many_labels(rng: np.random.Generator) -> Arrays:
    from sklearn.datasets import make_multilabel_classification

    x, y = make_multilabel_classification(780, 16, n_classes=7, n_labels=2, random_state=int(rng.integers(1e6)))
    return split(unit(x), y.astype(float), 520)


def swiss_roll(rng: np.random.Generator) -> Arrays:
    from sklearn.datasets import make_swiss_roll

    x, t = make_swiss_roll(760, noise=0.4, random_state=int(rng.integers(1e6)))
    return split(unit(x), t[:, None], 500)


def patches(rng: np.random.Generator, side: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_sample_image

    y = rng.integers(0, 2, n)
    photos = [load_sample_image(name).transpose(2, 0, 1) / 255.0 for name in ("china.jpg", "flower.jpg")]
    i, j = rng.integers(0, photos[0].shape[1] - 2 * side, n), rng.integers(0, photos[0].shape[2] - 2 * side, n)
    return np.stack([photos[k][:, a : a + 2 * side : 2, b : b + 2 * side : 2] for k, a, b in zip(y, i, j, strict=True)]), y


def photo_patches(rng: np.random.Generator) -> Arrays:
    x, y = patches(rng, 8, 760)
    x = x - x.mean((2, 3), keepdims=True)  # without its colour a patch is told by texture alone
    return split(x + 0.02 * rng.normal(size=x.shape), y, 500)


def noisy_patches(rng: np.random.Generator) -> Arrays:
    x, _ = patches(rng, 6, 760)
    return split(x + 0.15 * rng.normal(size=x.shape), x, 500)


def graph(rng: np.random.Generator) -> Arrays:
    """Nodes of a block model: a row is a node's own features and the mean of its neighbours', so that batches are rows."""
    n, k = 800, 4
    y = rng.integers(0, k, n)
    links = rng.uniform(size=(n, n)) < np.where(y[:, None] == y[None, :], 0.02, 0.006)
    links = np.triu(links, 1)
    links = links + links.T + np.eye(n)
    x = rng.normal(size=(n, 12)) + 0.7 * rng.normal(size=(k, 12))[y]
    hop = links / links.sum(1, keepdims=True)
    return split(np.stack([x, hop @ x, hop @ hop @ x], 1), y, 540)


def matches(rng: np.random.Generator) -> Arrays:
    """Games between two of sixty players: does the first one win?"""
    skill = 1.3 * rng.normal(size=60)
    pair = np.stack([rng.integers(0, 60, 2600), rng.integers(0, 60, 2600)], 1)
    wins = rng.uniform(size=2600) < 1 / (1 + np.exp(-(skill[pair[:, 0]] - skill[pair[:, 1]])))
    return split(pair, wins[:, None].astype(float), 2000)


def running_sums(rng: np.random.Generator) -> Arrays:
    x = rng.integers(0, 4, (760, 9))
    return split(x, np.cumsum(x, 1) % 4, 520)


# ------------------------------------------------------------------------------------------------------- JAX networks


def dense(key: Any, sizes: list[int], prefix: str = "") -> dict[str, Any]:
    import jax

    out = {}
    for k, (a, b) in enumerate(pairwise(sizes)):
        key, part = jax.random.split(key)
        out[f"{prefix}{k}.w"] = jax.random.normal(part, (a, b)) * (1.6 / a) ** 0.5
        out[f"{prefix}{k}.b"] = jax.numpy.zeros(b)
    return out


def stack(p: Any, x: Any, depth: int, act: Any, prefix: str = "") -> Any:
    for k in range(depth):
        x = x @ p[f"{prefix}{k}.w"] + p[f"{prefix}{k}.b"]
        x = act(x) if k < depth - 1 else x
    return x


def activation(name: str) -> Any:
    import jax

    return {"silu": jax.nn.silu, "relu": jax.nn.relu, "tanh": jax.numpy.tanh, "sigmoid": jax.nn.sigmoid, "sine": jax.numpy.sin}[
        name
    ]


def jax_mlp(sizes: list[int], act: str) -> Any:
    return lambda key: dense(key, sizes), lambda p, x, a: stack(p, x, len(sizes) - 1, activation(a or act))


def jax_sets() -> Any:
    def init(key: Any) -> Any:
        return dense(key, [1, 24, 24], "each") | dense(key, [24, 24, 5], "all")

    def apply(p: Any, x: Any, a: str) -> Any:
        act = activation(a or "relu")
        return stack(p, act(stack(p, x, 2, act, "each")).mean(1), 2, act, "all")

    return init, apply


def jax_gru(k: int, width: int) -> Any:
    def init(key: Any) -> Any:
        import jax

        one, two, three = jax.random.split(key, 3)
        return (
            dense(one, [k, 3 * width], "in")
            | {"state.w": jax.random.normal(two, (width, 3 * width)) / width**0.5}
            | dense(three, [width, k], "out")
        )

    def apply(p: Any, x: Any, a: str) -> Any:
        import jax
        import jax.numpy as jnp

        drive = p["in0.w"][x] * (k / 1.6) ** 0.5 * 0.3 + p["in0.b"]

        def cell(h: Any, u: Any) -> Any:
            z, r, c = jnp.split(u, 3, -1)
            hz, hr, hc = jnp.split(h @ p["state.w"], 3, -1)
            gate = jax.nn.sigmoid(z + hz)
            h = gate * h + (1 - gate) * jnp.tanh(c + jax.nn.sigmoid(r + hr) * hc)
            return h, h

        _, states = jax.lax.scan(cell, jnp.zeros((x.shape[0], width)), drive.swapaxes(0, 1))
        return states.swapaxes(0, 1) @ p["out0.w"] + p["out0.b"]

    return init, apply


# --------------------------------------------------------------------------------------------------- PyTorch networks


def torch_mlp(dropout: float, act: Any = None) -> Any:
    from torch import nn

    a = act or nn.GELU
    return nn.Sequential(nn.Linear(3, 40), a(), nn.Dropout(dropout), nn.Linear(40, 40), a(), nn.Linear(40, 1))


def torch_photo(dropout: float, act: Any = None) -> Any:
    from torch import nn

    a = act or nn.ReLU
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1), nn.GroupNorm(3, 12), a(), nn.AvgPool2d(2), nn.Conv2d(12, 16, 3, padding=1), a(),
        nn.Flatten(), nn.Dropout(dropout), nn.Linear(256, 2),
    )  # fmt: skip


def torch_denoise(dropout: float, act: Any = None) -> Any:
    from torch import nn

    a = act or nn.LeakyReLU
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), a(), nn.Conv2d(16, 16, 3, padding=1), a(), nn.Conv2d(16, 3, 3, padding=1)
    )


def torch_graph(dropout: float, act: Any = None) -> Any:
    from torch import nn

    a = act or nn.ReLU
    return nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(36, 20), a(), nn.Linear(20, 4))


def torch_players(dropout: float, act: Any = None) -> Any:
    import torch
    from torch import nn

    class Players(nn.Module):
        """One strength a player, and a network on the difference of two small embeddings."""

        def __init__(self) -> None:
            super().__init__()
            self.place = nn.Embedding(60, 4)
            self.head = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))

        def forward(self, pair: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.head(self.place(pair[:, 0]) - self.place(pair[:, 1]))
            return out

    return Players()


def torch_sums(dropout: float, act: Any = None) -> Any:
    import torch
    from torch import nn

    class Sums(nn.Module):
        """PyTorch's own encoder layer under a causal mask."""

        def __init__(self) -> None:
            super().__init__()
            self.token, self.place = nn.Embedding(4, 24), nn.Parameter(0.1 * torch.randn(9, 24))
            self.layer = nn.TransformerEncoderLayer(24, 3, 48, dropout, batch_first=True)
            self.head = nn.Linear(24, 4)
            self.register_buffer("mask", torch.triu(torch.full((9, 9), float("-inf")), 1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.head(self.layer(self.token(x) + self.place, self.mask))
            return out

    return Sums()


TASKS = {
    t.name: t
    for t in (
        Task("numpy-huber-sparse", "numpy", "huber", sparse_huber, [10, 1], 32, 30, hidden=False),
        Task("numpy-softmax-blobs", "numpy", "class", many_blobs, [6, 15], 32, 30, hidden=False),
        Task("numpy-tanh-rings", "numpy", "binary", rings, [2, 16, 1], 32, 60),
        Task("numpy-chebyshev", "numpy", "reg", chebyshev, [12, 1], 10**6, 200, hidden=False),
        Task("jax-friedman3", "jax", "reg", friedman3, jax_mlp([4, 32, 32, 1], "silu"), 32, 40),
        Task("jax-photograph", "jax", "reg", pixels, jax_mlp([16, 40, 40, 1], "sine"), 64, 40),
        Task("jax-sets", "jax", "class", bags, jax_sets(), 32, 40),
        Task("jax-gru-source", "jax", "class", source_code, jax_gru(len(SYMBOLS), 40), 20, 24, tokens=True),
        Task("jax-multilabel", "jax", "binary", many_labels, jax_mlp([16, 32, 7], "tanh"), 32, 30),
        Task("torch-swiss-roll", "torch", "reg", swiss_roll, torch_mlp, 32, 40),
        Task("torch-photo-patches", "torch", "class", photo_patches, torch_photo, 32, 20),
        Task("torch-denoise", "torch", "reg", noisy_patches, torch_denoise, 32, 20),
        Task("torch-graph", "torch", "class", graph, torch_graph, 32, 25),
        Task("torch-players", "torch", "binary", matches, torch_players, 64, 16, tokens=True),
        Task("torch-running-sums", "torch", "class", running_sums, torch_sums, 32, 25, tokens=True),
    )
}
