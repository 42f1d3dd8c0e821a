"""The programs of the corpus: a task and a model each, declared here as `tune` or `report` before anything is trained.

Thresholds and the scorer are fitted on the `tune` programs alone; every number in the report comes from the `report`
programs. No task is on both sides: a split by seed would only measure how well one program was memorised.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows it by
from torch import Tensor, nn

Data = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Program:
    """One task with one model: how to make its data, its network and its loss."""

    name: str
    split: str
    kind: str  # "class": cross-entropy; "reg": squared error; other: the program's own loss
    data: Callable[[np.random.Generator], Data]
    model: Callable[[str, float], nn.Module]
    loss: Callable[[Tensor, Tensor], Tensor]
    batch: int = 32
    epochs: int = 40
    classes: int = 0
    act: str = "relu"
    tokens: bool = False  # inputs are integers: scaling and NaN faults do not apply


PROGRAMS: dict[str, Program] = {}


def program(name: str, split: str, kind: str, **options: Any) -> Callable[[Callable[[], tuple[Any, Any]]], Any]:
    """Register a function that returns (data maker, model maker)."""

    def register(function: Callable[[], tuple[Any, Any]]) -> Any:
        data, model = function()
        loss = options.pop("loss", None) or {"class": cross_entropy, "reg": squared_error}[kind]
        PROGRAMS[name] = Program(name, split, kind, data, model, loss, **options)
        return function

    return register


def cross_entropy(out: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(out.reshape(-1, out.shape[-1]), y.reshape(-1))


def squared_error(out: Tensor, y: Tensor) -> Tensor:
    return ((out.reshape(y.shape) - y) ** 2).mean()


def gaussian_nll(out: Tensor, y: Tensor) -> Tensor:
    """Negative log density of a normal whose log-scale is also predicted: goes below zero on a healthy run."""
    mean, log_scale = out[:, 0], out[:, 1].clamp(-7, 7)
    return (log_scale + 0.5 * ((y - mean) * torch.exp(-log_scale)) ** 2 + 0.9189).mean()


def mixture_nll(out: Tensor, y: Tensor) -> Tensor:
    """Negative log density of a mixture of three normals."""
    weight, mean, log_scale = out.chunk(3, -1)
    log_scale = log_scale.clamp(-6, 4)
    log_density = -log_scale - 0.5 * ((y[:, None] - mean) * torch.exp(-log_scale)) ** 2 - 0.9189
    return -torch.logsumexp(torch.log_softmax(weight, -1) + log_density, -1).mean()


def poisson_nll(out: Tensor, y: Tensor) -> Tensor:
    rate = out.reshape(y.shape)
    return (torch.exp(rate) - y * rate).mean()


def hinge(out: Tensor, y: Tensor) -> Tensor:
    return F.relu(1 - out.reshape(-1) * (2 * y.float() - 1)).mean()


def tensors(x: Any, y: Any, rng: np.random.Generator, n: int, n_val: int = 250, classes: bool = True) -> Data:
    """Shuffle and split arrays into training and validation tensors."""
    x, y = np.asarray(x), np.asarray(y)
    order = rng.permutation(len(x))[: n + n_val]
    n = min(n, int(len(order) * 0.75))
    kind = torch.long if classes else torch.float32
    xt = torch.tensor(x[order], dtype=torch.float32 if x.dtype.kind == "f" else torch.long)
    yt = torch.tensor(y[order], dtype=kind)
    return xt[:n], yt[:n], xt[n:], yt[n:]


def standard(x: Any) -> Any:
    return (x - x.mean(0)) / (x.std(0) + 1e-9)


ACTS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


def mlp(sizes: list[int], **fixed: Any) -> Callable[[str, float], nn.Module]:
    """A maker of multilayer perceptrons with the activation and dropout asked for."""

    def make(act: str, dropout: float) -> nn.Module:
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(pairwise(sizes)):
            layers.append(nn.Linear(a, b))
            if i < len(sizes) - 2:
                layers += [nn.BatchNorm1d(b)] * bool(fixed.get("norm"))
                layers += [ACTS[act]()] + [nn.Dropout(dropout)] * (dropout > 0)
        return nn.Sequential(*layers)

    return make


class Recurrent(nn.Module):
    """An embedding or linear input, a recurrent layer, and a read-out of the last (or every) state."""

    def __init__(self, cell: str, n_in: int, width: int, n_out: int, tokens: bool = True, last: bool = True) -> None:
        super().__init__()
        self.embed = nn.Embedding(n_in, width) if tokens else nn.Linear(n_in, width)
        self.cell = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}[cell](width, width, batch_first=True)
        self.head, self.last = nn.Linear(width, n_out), last

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.cell(self.embed(x))
        return self.head(states[:, -1] if self.last else states)


class Transformer(nn.Module):
    """A small pre-norm transformer: one or two blocks, learned positions."""

    def __init__(self, vocabulary: int, length: int, width: int, n_out: int, causal: bool, dropout: float) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(vocabulary, width), nn.Parameter(0.02 * torch.randn(length, width))
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down, self.head = nn.Linear(width, 4 * width), nn.Linear(4 * width, width), nn.Linear(width, n_out)
        self.causal, self.drop = causal, nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embed(x) + self.place
        b, t, w = h.shape
        q, k, v = self.qkv(self.norm1(h)).reshape(b, t, 3, 2, w // 2).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        h = h + self.drop(self.out(mixed.transpose(1, 2).reshape(b, t, w)))
        h = h + self.drop(self.down(F.gelu(self.up(self.norm2(h)))))
        return self.head(self.norm3(h))


class Residual(nn.Module):
    """A deep residual perceptron with layer norms."""

    def __init__(self, n_in: int, width: int, depth: int, n_out: int, act: str, dropout: float) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(n_in, width), nn.Linear(width, n_out)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, width), ACTS[act](), nn.Dropout(dropout), nn.Linear(width, width)
            )
            for _ in range(depth)
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        for block in self.blocks:
            h = h + block(h)
        return self.head(h)


class Factors(nn.Module):
    """A rating matrix as the product of two embeddings."""

    def __init__(self, users: int, items: int, rank: int) -> None:
        super().__init__()
        self.user, self.item = nn.Embedding(users, rank), nn.Embedding(items, rank)
        for table in (self.user, self.item):
            nn.init.normal_(table.weight, std=0.3)

    def forward(self, x: Tensor) -> Tensor:
        return (self.user(x[:, 0]) * self.item(x[:, 1])).sum(-1)


class Bag(nn.Module):
    """A mean of word embeddings and a linear read-out."""

    def __init__(self, vocabulary: int, width: int, classes: int) -> None:
        super().__init__()
        self.bag, self.head = nn.EmbeddingBag(vocabulary, width), nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.bag(x))


class Waves(nn.Module):
    """A sine network on Fourier features of one input."""

    def __init__(self, width: int, act: str) -> None:
        super().__init__()
        self.register_buffer("frequency", torch.linspace(0.5, 4, 8))
        self.body = mlp([16, width, width, 1])(act, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        angle = x * self.frequency
        return self.body(torch.cat([torch.sin(angle), torch.cos(angle)], -1))


def conv2d(channels: int, side: int, classes: int) -> Callable[[str, float], nn.Module]:
    def make(act: str, dropout: float) -> nn.Module:
        return nn.Sequential(
            nn.Unflatten(1, (1, side)), nn.Conv2d(1, channels, 3, padding=1), ACTS[act](), nn.MaxPool2d(2),
            nn.Conv2d(channels, 2 * channels, 3, padding=1), ACTS[act](), nn.Flatten(), nn.Dropout(dropout),
            nn.Linear(2 * channels * (side // 2) ** 2, classes),
        )  # fmt: skip

    return make


def conv1d(channels: int, length: int, classes: int) -> Callable[[str, float], nn.Module]:
    def make(act: str, dropout: float) -> nn.Module:
        return nn.Sequential(
            nn.Unflatten(1, (1, length)), nn.Conv1d(1, channels, 5, padding=2), ACTS[act](), nn.MaxPool1d(2),
            nn.Conv1d(channels, channels, 5, padding=2), ACTS[act](), nn.Flatten(), nn.Dropout(dropout),
            nn.Linear(channels * (length // 2), classes),
        )  # fmt: skip

    return make


def text_windows(text: str, rng: np.random.Generator, length: int, n: int) -> Data:
    """Windows of text as characters, the target shifted by one."""
    alphabet = {c: i for i, c in enumerate("abcdefghijklmnopqrstuvwxyz .,\n")}
    codes = np.array([alphabet[c] for c in text.lower() if c in alphabet])
    starts = rng.integers(0, len(codes) - length - 1, n + 150)
    windows = np.stack([codes[s : s + length + 1] for s in starts])
    return tensors(windows[:, :-1], windows[:, 1:], rng, n, 150)


# ---------------------------------------------------------------------------------------------------------------- tune


@program("linear-synthetic", "tune", "reg", batch=16, epochs=30)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.normal(size=(500, 15))
        return tensors(x, x @ rng.normal(size=15) + 0.5 * rng.normal(size=500), rng, 320, classes=False)

    return data, mlp([15, 1])


@program("ridge-diabetes", "tune", "reg", batch=32, epochs=60)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import load_diabetes

        x, y = load_diabetes(return_X_y=True)
        return tensors(standard(x), y, rng, 300, classes=False)  # targets in their own units: a loss of tens of thousands

    return data, mlp([10, 1])


@program("logistic-cancer", "tune", "class", classes=2, batch=32, epochs=30)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import load_breast_cancer

        x, y = load_breast_cancer(return_X_y=True)
        return tensors(standard(x), y, rng, 400)

    return data, mlp([30, 2])


@program("mlp-cancer", "tune", "class", classes=2, batch=32, epochs=25, act="tanh")
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import load_breast_cancer

        x, y = load_breast_cancer(return_X_y=True)
        return tensors(standard(x), y, rng, 380)

    return data, mlp([30, 24, 24, 2])


@program("softmax-digits", "tune", "class", classes=10, batch=64, epochs=30)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        return tensors(x / 16.0, y, rng, 900)

    return data, mlp([64, 10])


@program("mlp-digits", "tune", "class", classes=10, batch=64, epochs=25)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        return tensors(x / 16.0, y, rng, 900)

    return data, mlp([64, 48, 32, 10])


@program("cnn-digits", "tune", "class", classes=10, batch=64, epochs=15)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        return tensors(x.reshape(-1, 8, 8) / 16.0, y, rng, 800)

    return data, conv2d(6, 8, 10)


@program("mlp-wine", "tune", "class", classes=3, batch=16, epochs=40, act="tanh")
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import load_wine

        x, y = load_wine(return_X_y=True)
        return tensors(standard(x), y, rng, 120)

    return data, mlp([13, 16, 3])


@program("moons-sigmoid", "tune", "class", classes=2, batch=32, epochs=60, act="sigmoid")
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import make_moons

        x, y = make_moons(600, noise=0.15, random_state=int(rng.integers(1e6)))
        return tensors(x, y, rng, 350)

    return data, mlp([2, 24, 24, 2])


@program("mlp-friedman", "tune", "reg", batch=32, epochs=50)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import make_friedman1

        x, y = make_friedman1(700, noise=1.0, random_state=int(rng.integers(1e6)))
        return tensors(standard(x), standard(y), rng, 400, classes=False)

    return data, mlp([10, 32, 32, 1])


@program("gru-majority", "tune", "class", classes=4, batch=32, epochs=16, tokens=True)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.integers(0, 4, (700, 11))
        counts = np.stack([(x == k).sum(1) for k in range(4)], 1) + 0.01 * x[:, -1:]
        return tensors(x, counts.argmax(1), rng, 480, 200)

    return data, lambda act, dropout: Recurrent("gru", 4, 20, 4)


@program("transformer-text", "tune", "lm", loss=cross_entropy, classes=30, batch=16, epochs=12, tokens=True, act="gelu")
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from pydoc_data.topics import topics

        return text_windows("".join(topics[k] for k in sorted(topics))[:60000], rng, 32, 480)

    return data, lambda act, dropout: Transformer(30, 32, 32, 30, True, dropout)


@program("autoencoder-digits", "tune", "reg", batch=64, epochs=25)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import load_digits

        x = load_digits().data / 16.0
        return tensors(x, x, rng, 800, classes=False)

    return data, mlp([64, 32, 10, 32, 64])


@program("factorisation", "tune", "reg", batch=128, epochs=30, tokens=True)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        u, v = rng.normal(size=(60, 4)), rng.normal(size=(50, 4))
        pairs = np.stack([rng.integers(0, 60, 2400), rng.integers(0, 50, 2400)], 1)
        ratings = (u[pairs[:, 0]] * v[pairs[:, 1]]).sum(1) + 0.3 * rng.normal(size=2400)
        return tensors(pairs, ratings, rng, 1800, 400, classes=False)

    return data, lambda act, dropout: Factors(60, 50, 6)


@program("deep-mlp", "tune", "class", classes=5, batch=32, epochs=25)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import make_classification

        x, y = make_classification(900, 20, n_informative=8, n_classes=5, class_sep=1.5, random_state=int(rng.integers(1e6)))
        return tensors(standard(x), y, rng, 500)

    return data, mlp([20, 32, 32, 32, 32, 5])


@program("density-regression", "tune", "nll", loss=gaussian_nll, batch=32, epochs=40, act="tanh")
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.uniform(-2, 2, (700, 2))
        scale = 0.05 + 0.1 * np.abs(x[:, 1])
        return tensors(x, np.sin(2 * x[:, 0]) * 0.5 + scale * rng.normal(size=700), rng, 400, classes=False)

    return data, mlp([2, 24, 24, 2])


@program("poisson-counts", "tune", "poisson", loss=poisson_nll, batch=32, epochs=40)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.normal(size=(650, 6))
        return tensors(x, rng.poisson(np.exp(0.5 * x[:, 0] - 0.4 * x[:, 1] + 1)).astype(float), rng, 400, classes=False)

    return data, mlp([6, 1])


@program("wave-conv", "tune", "class", classes=4, batch=32, epochs=15)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        t, y = np.linspace(0, 6, 24), rng.integers(0, 4, 700)
        phase = rng.uniform(0, 6, (700, 1))
        shapes = np.stack([np.sin(t + phase), np.sign(np.sin(t + phase)), np.sin(3 * t + phase), np.sin(t * t / 3 + phase)])
        return tensors(shapes[y, np.arange(700)] + 0.4 * rng.normal(size=(700, 24)), y, rng, 450)

    return data, conv1d(8, 24, 4)


# -------------------------------------------------------------------------------------------------------------- report


@program("linear-housing", "report", "reg", batch=32, epochs=35)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = np.exp(0.6 * rng.normal(size=(800, 8)))
        return tensors(standard(x), 2 + x @ np.linspace(-0.3, 0.5, 8) + 0.4 * rng.standard_t(4, 800), rng, 500, classes=False)

    return data, mlp([8, 1])


@program("logistic-hastie", "report", "class", classes=2, batch=32, epochs=30)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.normal(size=(800, 12))
        p = 1 / (1 + np.exp(-1.5 * x @ np.cos(np.arange(12))))
        return tensors(x, (rng.uniform(size=800) < p).astype(int), rng, 500)

    return data, mlp([12, 2])


@program("softmax-iris", "report", "class", classes=3, batch=16, epochs=80)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import load_iris

        x, y = load_iris(return_X_y=True)
        return tensors(standard(x), y, rng, 105)

    return data, mlp([4, 3])


@program("spirals-tanh", "report", "class", classes=2, batch=32, epochs=80, act="tanh")
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        r, y = np.sqrt(rng.uniform(0.02, 1, 600)), rng.integers(0, 2, 600)
        a = 5 * r + np.pi * y
        x = np.stack([r * np.cos(a), r * np.sin(a)], 1) * 2 + 0.05 * rng.normal(size=(600, 2))
        return tensors(x, y, rng, 400)

    return data, mlp([2, 32, 32, 2])


@program("california-mlp", "report", "reg", batch=64, epochs=40)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.uniform(-1, 1, (1000, 8))
        y = 2 + np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2] + np.abs(x[:, 3]) + 0.3 * rng.normal(size=1000)
        return tensors(x, y, rng, 640, classes=False)

    return data, mlp([8, 40, 40, 1])


@program("shapes-cnn", "report", "class", classes=6, batch=32, epochs=14)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        y = rng.integers(0, 6, 700)
        i, j = np.mgrid[0:10, 0:10]
        masks = np.stack(
            [i == 5, j == 5, i == j, i + j == 9, (i - 5) ** 2 + (j - 5) ** 2 < 9, np.maximum(abs(i - 5), abs(j - 5)) == 3]
        )
        x = masks[y] * rng.uniform(0.5, 1.5, (700, 1, 1)) + 0.5 * rng.normal(size=(700, 10, 10))
        return tensors(np.roll(x, 1, axis=2), y, rng, 450)

    return data, conv2d(6, 10, 6)


@program("adding-rnn", "report", "reg", batch=32, epochs=25)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.uniform(-1, 1, (700, 8, 2))
        x[:, :, 1] = 0
        for row in x:
            row[rng.choice(8, 2, replace=False), 1] = 1
        return tensors(x, (x[:, :, 0] * x[:, :, 1]).sum(1), rng, 480, 200, classes=False)

    return data, lambda act, dropout: Recurrent("gru", 2, 20, 1, tokens=False)


@program("transformer-reverse", "report", "lm", loss=cross_entropy, classes=8, batch=32, epochs=16, tokens=True, act="gelu")
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.integers(0, 8, (750, 8))
        return tensors(x, x[:, ::-1].copy(), rng, 500)

    return data, lambda act, dropout: Transformer(8, 8, 32, 8, False, dropout)


@program("autoencoder-mixture", "report", "reg", batch=64, epochs=30, act="tanh")
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        centres = 3 * rng.normal(size=(6, 16))
        x = centres[rng.integers(0, 6, 900)] + 0.5 * rng.normal(size=(900, 16))
        return tensors(x, x, rng, 600, classes=False)

    return data, mlp([16, 20, 4, 20, 16])


@program("lstm-text", "report", "lm", loss=cross_entropy, classes=30, batch=16, epochs=12, tokens=True)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn import datasets

        text = "".join(getattr(datasets, f"load_{k}")().DESCR for k in ("iris", "breast_cancer", "diabetes", "linnerud"))
        return text_windows(text, rng, 24, 400)

    return data, lambda act, dropout: Recurrent("lstm", 30, 32, 30, last=False)


@program("residual-quantiles", "report", "class", classes=4, batch=32, epochs=20)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        from sklearn.datasets import make_gaussian_quantiles

        x, y = make_gaussian_quantiles(n_samples=800, n_features=5, n_classes=4, random_state=int(rng.integers(1e6)))
        return tensors(x, y, rng, 500)

    return data, lambda act, dropout: Residual(5, 32, 3, 4, act, dropout)


@program("batchnorm-checker", "report", "class", classes=3, batch=32, epochs=30)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.uniform(0, 3, (800, 2))
        return tensors(x - 1.5, (np.floor(x).sum(1) % 3).astype(int), rng, 500)

    return data, mlp([2, 40, 40, 3], norm=True)


@program("sine-features", "report", "reg", batch=32, epochs=50)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.uniform(-3, 3, (450, 1))
        return tensors(x, 40 * (np.sin(3 * x[:, 0]) + 0.4 * x[:, 0] + 0.1 * rng.normal(size=450)), rng, 280, classes=False)

    return data, lambda act, dropout: Waves(24, act)


@program("word-bag", "report", "class", classes=5, batch=32, epochs=25, tokens=True)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        topics, y = rng.dirichlet(np.full(60, 0.25), 5), rng.integers(0, 5, 750)
        return tensors(np.stack([rng.choice(60, 12, p=topics[k]) for k in y]), y, rng, 450)

    return data, lambda act, dropout: Bag(60, 16, 5)


@program("mixture-density", "report", "nll", loss=mixture_nll, batch=32, epochs=40, act="tanh")
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        y = rng.uniform(-1, 1, 700)
        x = y + 0.3 * np.sin(6 * y) + 0.05 * rng.normal(size=700)
        return tensors(x[:, None], y, rng, 450, classes=False)

    return data, mlp([1, 24, 24, 9])


@program("hinge-svm", "report", "hinge", loss=hinge, batch=32, epochs=30)
def _() -> Any:
    def data(rng: np.random.Generator) -> Data:
        x = rng.normal(size=(700, 10))
        return tensors(x, (x @ np.linspace(-1, 1, 10) + 0.4 * rng.normal(size=700) > 0).astype(int), rng, 450)

    return data, mlp([10, 1])


def metric(p: Program) -> Callable[[Tensor, Tensor], Tensor] | None:
    """Accuracy, where the program has one."""
    if p.kind == "hinge":
        return lambda out, y: ((out.reshape(-1) > 0).long() == y).float().mean()
    if p.classes:
        return lambda out, y: (out.argmax(-1) == y).float().mean()
    return None


def source(name: str) -> str:
    """The file a program is written in, for the report."""
    return inspect.getsourcefile(PROGRAMS[name].data) or ""
