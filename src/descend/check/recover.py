"""When no known mistake fits: read off the probes what multiplies each gradient, what divides it, and what pulls on p.

Entry i of an array gets a gradient at step i alone, so that one run gives the weight of every gradient in every step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from descend.check.formulas import parse, unicode_of
from descend.check.names import Mapped
from descend.check.probes import SETTINGS, Probe
from descend.check.solved import Solution
from descend.check.variants import Candidate, trajectory
from descend.equations import equations
from descend.rules import Rule

__all__ = ["recover", "told_by_unknown"]

STEPS = 5
#: So large that the root does not matter beside it.
LARGE = 1e6

Contradiction = tuple[str, str, str]


def recover(
    talk: Any, rule: Rule, mapped: Mapped, base: Candidate, right: Collection[str] = ()
) -> tuple[Contradiction | None, list[str], list[str]]:
    """The first equation contradicted (target, equation, in words), what was seen, and which equations agree.

    `right` are quantities known to be as they should be: what looks like one of them is what is made of it.
    """
    asked = _probes(rule, mapped)
    answers = _run(talk, mapped, list(asked.values()))
    got = dict(zip(asked, answers, strict=True))
    observed: list[str] = []
    agreed: list[str] = []
    first: Contradiction | None = None
    for name, target, words in _questions(rule, mapped):
        if name not in asked or got[name] is None:
            continue
        ours, theirs = trajectory(base, asked[name]), got[name]
        assert theirs is not None
        if _same(ours, theirs):
            agreed.append(words)
            continue
        observed.append(_seen(name, ours, theirs, asked[name], mapped))
        if first is None:
            target = _finer(name, target, rule, ours, theirs)
            if target in right:
                target = next((t for t in (f"{target}_hat",) if any(e.target == t for e in equations(rule))), "p")
            first = (target, _equation(rule, target, mapped), f"the first thing that is contradicted: {words}")
    return first, observed, agreed


def told_by_unknown(unknown: Sequence[tuple[Candidate, Solution]], rule: Rule) -> tuple[Contradiction, str] | None:
    """Of the places where another number explains every step the plainest, and what that number is in the first steps."""
    if not unknown:
        return None

    def cost(pair: tuple[Candidate, Solution]) -> float:
        form, solution = pair
        free, values = solution.free, [c for _, _, c, _ in solution.samples]
        settles = free.neutral is not None and abs(values[-1] - free.neutral) < 0.2 * abs(values[0] - free.neutral)
        odd = 2.0 * (free.text == "lr") if settles else 0.0  # what settles is a correction and no schedule
        return free.rank + odd + (0.0 if solution.common else 2.0) + 1.0 * (form.kind != "reference")

    form, solution = min(unknown, key=cost)
    free = solution.free
    first: dict[int, float] = {}
    for _, t, c, _ in solution.samples:
        first.setdefault(t, c)
    steps = sorted(first)[:4]
    numbers = ", ".join(f"{first[t]:.4g}" for t in steps)
    what = unicode_of(free.text)
    said = {
        "value": f"another number stands where {what} should",
        "factor": f"{what} is multiplied by a number that should not be there",
        "term": f"a multiple of {what} is added that should not be there",
    }[free.kind]
    each = "" if solution.common else ", another for each array"
    seen = f"that number is {numbers} in steps {', '.join(map(str, steps))}{each}"
    target = "t" if free.text == "s.step" else free.target
    return (target, _line(form, free), f"{said} in the equation for {unicode_of(target)}"), seen


def _line(form: Candidate, free: Any) -> str:
    return f"{unicode_of(free.target)} ← {unicode_of(parse(free.shown[0]))}" if free.text != "s.step" else "t ← t + 1"


def _questions(rule: Rule, mapped: Mapped) -> list[tuple[str, str, str]]:
    """Probe, equation, and in words what it looks at; in the order in which they build on each other."""
    targets = {e.target for e in equations(rule)}
    memory = next((t for t in ("m", "b", "c") if t in targets), "p")
    size = next((t for t in ("v", "u", "n") if t in targets), "p")
    own = "weight_decay" in rule.hyperparameters
    decay = [("decay", "p", "the weight decay without a gradient")]
    return [
        ("still", "p", "what happens without a gradient"),
        *(decay if own else ()),
        ("impulse", memory, "how gradients are remembered: the weight of each gradient in each step"),
        ("rate", "p", "how the step grows with lr"),
        ("scale", size, "how the step grows with the size of the gradient"),
        ("root", size, "what the step is divided by, with ε at 0"),
        ("eps", "p", "where ε stands"),
        *(() if own else decay),  # an L2 term goes through every equation: it says something once those are in order
        ("both", "p", "the weight decay beside a gradient"),
    ]


def _probes(rule: Rule, mapped: Mapped) -> dict[str, Probe]:
    values = {k: v for k, v in SETTINGS[0].items() if k in mapped.ours and (k in rule.hyperparameters or k == "weight_decay")}
    n = STEPS
    shape = (4, 2) if rule.ndim else (n,)
    size = int(np.prod(shape))
    rng = np.random.default_rng(3)
    zero = np.zeros(shape)
    start = rng.normal(size=shape)
    one = [np.zeros(size) for _ in range(n)]
    for t in range(n):
        one[t][t % size] = 1.0
    impulses = [[x.reshape(shape)] for x in one]
    changing = [[1.0 + 0.5 * rng.normal(size=shape)] for _ in range(n)]
    far = values | ({"eps": LARGE} if "eps" in values else {})
    made = {
        "still": Probe("still", [start], [[zero]] * 3, values),
        "impulse": Probe("impulse", [zero], impulses, far),
        "rate": Probe("rate", [start], changing, values | ({"lr": 0.031} if "lr" in values else {})),
        "scale": Probe("scale", [start], [[100.0 * g[0]] for g in changing], values),
    }
    if "weight_decay" in values:
        made["decay"] = Probe("decay", [start], [[zero]] * 3, values | {"weight_decay": 0.3})
        made["both"] = Probe("both", [start], changing, values | {"weight_decay": 0.3})
    if "eps" in values:
        made["root"] = Probe("root", [start], changing, values | {"eps": 0.0})
        made["eps"] = Probe("eps", [start], changing, values | {"eps": 0.3})
    return made


def _run(talk: Any, mapped: Mapped, probes: Sequence[Probe]) -> list[np.ndarray | None]:
    from descend.check.checking import probe_request

    answers = talk.run([probe_request(p, mapped) for p in probes])
    return [None if "error" in a else np.array(a["points"], dtype=np.float64) for a in answers]


def _same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    if not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
        return False
    a, b = np.nan_to_num(ours, posinf=0, neginf=0), np.nan_to_num(theirs, posinf=0, neginf=0)
    moved = max(np.abs(a - a[0]).max(), np.abs(b - b[0]).max(), 1e-300)
    return bool(np.abs(a - b).max() <= 1e-5 * moved)


def _kernel(points: np.ndarray) -> np.ndarray:
    """Row t: the weight of each gradient in step t, from the answer to single gradients."""
    return -np.diff(points, axis=0)


def _finer(name: str, target: str, rule: Rule, ours: np.ndarray, theirs: np.ndarray) -> str:
    """Of a mean and its correction: which of the two, by whether the weights are wrong among themselves or all by a factor."""
    targets = {e.target for e in equations(rule)}
    if name != "impulse" or f"{target}_hat" not in targets:
        return target
    a, b = _kernel(ours)[:STEPS, :STEPS], _kernel(theirs)[:STEPS, :STEPS]
    with np.errstate(all="ignore"):
        shapes = [np.tril(k / np.where(np.diag(k) == 0, np.nan, np.diag(k))[:, None]) for k in (a, b)]
    return f"{target}_hat" if np.allclose(shapes[0], shapes[1], rtol=1e-4, atol=1e-9, equal_nan=True) else target


def _equation(rule: Rule, target: str, mapped: Mapped) -> str:
    values: Mapping[str, Any] = {"weight_decay": 0.1} if "weight_decay" in rule.hyperparameters else {}
    found = [e.text() for e in equations(rule, values) if e.target == target]
    return found[-1] if found else ""


def _seen(name: str, ours: np.ndarray, theirs: np.ndarray, probe: Probe, mapped: Mapped) -> str:
    """What the probe showed, in numbers."""
    step = [float(np.abs(np.nan_to_num(x[1] - x[0])).max()) for x in (ours, theirs)]
    if name == "impulse":
        factor = probe.values.get("eps", 1.0) / probe.values.get("lr", 1.0)
        rows = [", ".join(f"{factor * w:.4g}" for w in _kernel(x)[2][:3]) for x in (ours, theirs)]
        return f"at step 3 the gradients of steps 1, 2, 3 weigh {rows[1]} in lr·step; expected {rows[0]}"
    if name in ("still", "decay"):
        ratios = [float((x[1] / x[0]).ravel()[0]) for x in (ours, theirs)]
        with_decay = " and with wd = 0.3" if name == "decay" else ""
        return f"without a gradient{with_decay} a step multiplies p by {ratios[1]:.6g}; expected {ratios[0]:.6g}"
    what = {
        "rate": "at lr = 0.031", "scale": "with gradients a hundred times larger", "root": "with ε = 0", "eps": "with ε = 0.3",
        "both": "with wd = 0.3",
    }[name]  # fmt: skip
    return f"{what} the first step is {step[1]:.6g} long; expected {step[0]:.6g}"
