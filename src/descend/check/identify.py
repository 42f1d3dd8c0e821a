"""Numbers found step by step, read as a formula: a constant, powers of t and of hyperparameters, a norm of something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from descend.check.places import STEP

__all__ = ["formulas_for"]

#: Unknowns come from steps that were rounded: what is read from them is compared in full afterwards.
NEAR = 2e-5
#: Where little depends on the unknown.
FAR = 2e-3
#: A step so late that no mean remembers its start.
FOREVER = 1e5
#: Samples that are read.
MOST = 60
POWERS = (1.0, -1.0, 0.5, -0.5, 2.0, -2.0)
COSTS = np.array([0.0, 0.1, 0.2, 0.25, 0.3, 0.35])
Sample = tuple[dict[str, Any], int, float, dict[str, Any]]
Formula = tuple[str, float]


def formulas_for(samples: Sequence[Sample], common: bool, neutral: float | None, replaced: str = "") -> list[Formula]:
    """Formulas that give the unknown in every step, with how involved they are; the plainest first.

    `replaced` is the number that should stand there: formulas that multiply it are tried too.
    """
    decays = [s for s in samples if s[0].get("weight_decay") != 0]
    if decays and len(decays) < len(samples) and neutral is not None:
        still = [abs(s[2] - neutral) <= NEAR for s in samples if s[0].get("weight_decay") == 0]
        samples = decays if all(still) else samples
    if len(samples) < 3:
        return []
    if len(samples) > MOST:
        samples = [samples[i] for i in np.unique(np.linspace(0, len(samples) - 1, MOST).astype(int))]
    with np.errstate(all="ignore"):
        return _Reader(samples, common, neutral, replaced).formulas()


class _Reader:
    """The unknown in every step, and what it may be made of."""

    def __init__(self, samples: Sequence[Sample], common: bool, neutral: float | None, replaced: str) -> None:
        self.samples, self.neutral, self.replaced = samples, neutral, replaced
        self.t = np.array([float(s[1]) for s in samples])
        c = np.array([s[2] for s in samples])
        self.c = np.where(c > 100, FOREVER, c) if replaced == STEP else c
        self.right = self._right()
        self.names, logs, costs = _atoms(samples, self.t, common)
        self.table = np.concatenate([logs * e for e in POWERS]) if len(self.names) else np.zeros((0, len(samples)))
        self.texts = [(n, e) for e in POWERS for n in self.names]
        self.costs = np.concatenate([np.array(costs) + x for x in COSTS]) if len(self.names) else np.zeros(0)

    def _right(self) -> np.ndarray | None:
        """What should stand there."""
        if self.replaced == STEP:
            return self.t
        if not self.replaced:
            return None if self.neutral is None else np.full(len(self.t), self.neutral)
        name = self.replaced.removeprefix("s.")
        found = [h.get(name, q.get(self.replaced, q.get(name))) for h, _, _, q in self.samples]
        if any(v is None or np.ndim(v) != 0 for v in found):
            return None if self.neutral is None else np.full(len(self.t), self.neutral)
        return np.array(found, dtype=float)

    def formulas(self) -> list[Formula]:
        everything = np.ones(len(self.c), dtype=bool)
        found: list[Formula] = []
        for near in (NEAR, FAR):
            found += self.plain(self.c, everything, near)
            if self.replaced and self.right is not None:
                found += self.clipped(near)
                found += self.times(everything, near)
            if all(cost > 2.0 for _, cost in found):
                found += self.first_apart(near)
                found += self.until(near)
            if found:
                break
        return sorted(dict(sorted(found, key=lambda f: -f[1])).items(), key=lambda f: f[1])

    def times(self, some: np.ndarray, near: float) -> Iterator[Formula]:
        """What should stand there, times a formula."""
        if self.right is not None and (self.right[some] != 0).all():
            for text, cost in self.plain(np.where(some, self.c / np.where(some, self.right, 1.0), 1.0), some, near):
                if text != "1.0":
                    yield f"{self.replaced} * ({text})", cost + 0.3

    def clipped(self, near: float) -> Iterator[Formula]:
        """What should stand there, but no more than a number, or no less."""
        assert self.right is not None
        same = np.abs(self.c - self.right) <= near * np.abs(self.right)
        text, cost = self.replaced, 1.0
        for some, function in ((~same & (self.right > self.c), "minimum"), (~same & (self.right < self.c), "maximum")):
            if some.any():
                if np.ptp(self.c[some]) > near * np.abs(self.c[some]).max():
                    return
                text, cost = f"{function}({text}, {_round(float(np.median(self.c[some])))!r})", cost + 0.8
        if same.any() and text != self.replaced:
            yield text, cost

    def plain(self, values: np.ndarray, some: np.ndarray, near: float) -> Iterator[Formula]:
        """One formula for some of the samples."""
        c = values[some]
        if not np.isfinite(c).all():
            return
        size = max(np.abs(c).max(), 1e-12)
        if np.ptp(c) <= near * size or size < 1e-9:
            value = _round(float(np.median(c)))
            yield f"{value!r}", 1.0 if len(f"{abs(value):g}".replace(".", "").strip("0")) <= 3 else 3.0
            return
        with np.errstate(all="ignore"):
            forms = (("{}", c, 0.0), ("1 - {}", 1 - c, 0.4), ("1 / (1 + {})", 1 / np.where(c == 0, np.nan, c) - 1, 0.6))
        for shape, x, more in forms:
            if not np.isfinite(x).all() or np.abs(x).min() < 1e-12 or len(set(np.sign(x))) > 1:
                continue
            sign = "-" if x[0] < 0 else ""
            for text, cost in self.products(np.log(np.abs(x)), some, near):
                if shape == "1 - {}" and text.startswith("(1 - "):
                    continue  # said more plainly
                yield shape.format(f"{sign}{text}" if shape == "{}" else f"({sign}{text})"), cost + more + 0.2 * bool(sign)
        low = some & (values < 1 - near)
        if (c > 0).all() and (c <= 1 + near).all() and (c >= 1 - near).any() and low.sum() > 2:
            for text, cost in self.products(np.log(values[low]), low, near):
                yield f"minimum(1.0, {text})", cost + 0.4

    def products(self, target: np.ndarray, some: np.ndarray, near: float) -> Iterator[Formula]:
        """A number, times one or two quantities with powers."""
        table = self.table[:, some]
        if not len(table):
            return
        rest = target - table
        for i in np.nonzero(np.ptp(rest, axis=1) <= near)[0]:
            factor = float(np.exp(np.median(rest[i])))
            value = _round(factor)
            if abs(factor - 1) <= near:
                yield _power(*self.texts[i]), self.costs[i] + 1.0
            elif len(f"{value:g}".replace(".", "").strip("0")) <= 2:
                yield f"{value!r} * {_power(*self.texts[i])}", self.costs[i] + 1.8
        usual = 4 * len(self.names)  # powers up to 1
        order = np.argsort(table[:usual, 0])  # pairs whose first numbers agree, found by search
        first = table[order, 0]
        for k in range(usual):
            a, b = np.searchsorted(first, (rest[k, 0] - near, rest[k, 0] + near))
            for j in map(int, order[a:b]):
                if j > k and self.texts[k][0] != self.texts[j][0] and np.abs(rest[k] - table[j]).max() <= near:
                    yield f"{_power(*self.texts[k])} * {_power(*self.texts[j])}", self.costs[k] + self.costs[j] + 1.6

    def first_apart(self, near: float) -> Iterator[Formula]:
        """One formula for the first step and one for the others."""
        first, others = self.t == 1, self.t > 1
        if first.sum() < 2 or others.sum() < 3:
            return
        for a, one in list(self.plain(self.c, first, near))[:3]:
            for b, other in list(self.plain(self.c, others, near))[:3]:
                yield f"(({a}) if {STEP} == 1 else ({b}))", 0.6 * one + other + 1.0

    def until(self, near: float) -> Iterator[Formula]:
        """A formula up to some step, and nothing wrong after it; or the other way round."""
        if self.right is None:
            return
        same = np.abs(self.c - self.right) <= near * np.maximum(1.0, np.abs(self.right))
        if same.all() or not same.any():
            return
        otherwise = self.replaced or repr(self.neutral)
        yield from self.periodic(~same, otherwise, near)
        right, wrong = self.t[same], self.t[~same]
        if set(wrong) & set(right):
            return
        if wrong.max() < right.min():
            test = f"{STEP} <= {int(wrong.max())}"
        elif wrong.min() > right.max():
            test = f"{STEP} >= {int(wrong.min())}"
        else:
            return
        for text, cost in list(self.plain(self.c, ~same, near))[:3]:
            yield f"(({text}) if {test} else {otherwise})", cost + 1.5

    def periodic(self, wrong: np.ndarray, otherwise: str, near: float) -> Iterator[Formula]:
        """A formula in every k-th step, and nothing wrong in the others."""
        first = int(self.t[wrong].min())
        if first > 1 and (wrong == (self.t % first == 0)).all() and (self.t > first).any():
            for text, cost in list(self.plain(self.c, wrong, near))[:3]:
                yield f"(({text}) if {STEP} % {first} == 0 else {otherwise})", cost + 1.5


def _power(name: str, e: float) -> str:
    inner = f"({name})"
    if e < 0 and "(" in name and not name.startswith("1"):  # a norm may be 0
        inner = f"maximum({name}, 1e-30)"
        name = inner
    return {
        1.0: inner, -1.0: f"(1 / {inner})", 0.5: f"sqrt({name})", -0.5: f"(1 / sqrt({name}))",
        2.0: f"{inner}**2", -2.0: f"(1 / {inner}**2)",
    }[e]  # fmt: skip


Atoms = dict[str, tuple[np.ndarray, float]]


def _atoms(samples: Sequence[Sample], t: np.ndarray, common: bool) -> tuple[list[str], np.ndarray, list[float]]:
    """Quantities that a factor may be made of: their logarithms in every sample."""
    found: Atoms = {STEP: (t, 0.0), f"{STEP} + 1": (t + 1, 0.3), f"{STEP} - 1": (np.where(t > 1, t - 1, np.nan), 0.3)}
    for name in [n for n, v in samples[0][0].items() if isinstance(v, int | float) and not isinstance(v, bool)]:
        values = np.array([float(s[0].get(name, 0.0)) for s in samples])
        if not (values >= 0).all() or not np.isfinite(values).all():
            continue
        found[name] = (values, 0.0)
        if (values < 1).all() and name not in ("lr", "eps"):
            found |= _shares(name, values, t)
    rate, decay = (np.array([float(s[0].get(n) or 0.0) for s in samples]) for n in ("lr", "weight_decay"))
    if (rate * decay > 0).any():
        found["1 - lr * weight_decay"] = (1 - rate * decay, 0.2)
        found[f"(1 - lr * weight_decay)**{STEP}"] = ((1 - rate * decay) ** t, 0.4)
        found["exp(lr * weight_decay)"] = (np.exp(rate * decay), 0.4)
        found["1 + lr * weight_decay"] = (1 + rate * decay, 0.3)
    found = _numbers(samples, t) | found
    if not common:
        found |= _reductions(samples)
    names, logs = [], []
    with np.errstate(all="ignore"):
        for name, (values, _) in found.items():
            row = np.log(values)
            if np.isfinite(row[t > 1]).all() and not np.isnan(values[t > 1]).any():
                names.append(name)
                logs.append(np.where(np.isfinite(row), row, 1e9))  # what is not defined at first is nothing there
    return names, np.array(logs) if logs else np.zeros((0, len(t))), [found[n][1] for n in names]


def _shares(name: str, x: np.ndarray, t: np.ndarray) -> Atoms:
    """What is made of a number between 0 and 1."""
    return {
        f"(1 - {name})**{STEP}": ((1 - x) ** t, 0.4),
        f"(1 - {name})**({STEP} - 1)": ((1 - x) ** (t - 1), 0.5),
        f"1 - {name}": (1 - x, 0.1),
        f"{name}**{STEP}": (x**t, 0.2),
        f"1 - {name}**{STEP}": (1 - x**t, 0.2),
        f"1 - {name}**({STEP} + 1)": (1 - x ** (t + 1), 0.6),
        f"1 - {name} * {STEP}": (np.abs(1 - x * t), 0.8),
    }


REDUCTIONS: tuple[tuple[str, Any], ...] = (
    ("norm({})", lambda x: np.sqrt(np.vdot(x, x))),
    ("rms({})", lambda x: np.sqrt(np.vdot(x, x) / x.size)),
    ("largest({})", lambda x: np.abs(x).max()),
    ("mean(abs({}))", lambda x: np.abs(x).sum() / x.size),
    ("total(abs({}))", lambda x: np.abs(x).sum()),
    ("total({}**2)", lambda x: np.vdot(x, x)),
    ("mean({}**2)", lambda x: np.vdot(x, x) / x.size),
)


def _reductions(samples: Sequence[Sample]) -> Atoms:
    """Norms and other numbers of whole arrays."""
    found: Atoms = {}
    arrays = [n for n, v in samples[0][3].items() if np.ndim(v) > 0 and n != "s.k"][:14]
    with np.errstate(all="ignore"):
        for name in arrays:
            for text, function in REDUCTIONS:
                cost = (0.4 if text.startswith("norm") else 0.6) + (0.0 if name in ("free_x", "g", "p") else 0.2)
                values = [float(function(s[3][name])) if np.ndim(s[3].get(name, 0.0)) > 0 else np.nan for s in samples]
                found[text.format(name)] = (np.array(values), cost)
    shapes = [np.shape(s[3].get("p", 0.0)) for s in samples]
    found["size_(p)"] = (np.array([float(np.prod(x)) for x in shapes]), 0.6)
    if all(shapes):
        found["p.shape[0]"] = (np.array([float(x[0]) for x in shapes]), 0.6)
        found["p.shape[-1]"] = (np.array([float(x[-1]) for x in shapes]), 0.7)
        found["p.ndim"] = (np.array([float(len(x)) for x in shapes]), 1.0)
    return found


def _numbers(samples: Sequence[Sample], t: np.ndarray) -> Atoms:
    """Quantities of the rule that are one number for an array."""
    found: Atoms = {}
    for name in [n for n, v in samples[0][3].items() if np.ndim(v) == 0 and n.isidentifier()]:
        x = np.array([float(s[3].get(name, np.nan)) for s in samples])
        found[name] = (x, 0.5)
        if np.isfinite(x).all() and (x > 0).all() and (x < 1).all():
            found |= {f"{name}**{STEP}": (x**t, 0.6), f"1 - {name}": (1 - x, 0.6), f"1 - {name}**{STEP}": (1 - x**t, 0.7)}
    return found


def _round(value: float) -> float:
    for digits in (2, 3, 4, 6):
        near = float(f"{value:.{digits}g}")
        if abs(near - value) <= NEAR * max(abs(value), 1e-12):
            return near
    return value
