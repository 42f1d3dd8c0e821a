"""From what fits to what is told: the equation in mathematics, the values where the paths part, what was excluded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from descend.check.confidence import GUESSED, confidences
from descend.check.dialects import HOMES, references
from descend.check.judge import EXACT, Match
from descend.check.mistake import Mistake
from descend.check.names import Mapped
from descend.check.probes import Probe
from descend.check.recover import recover, told_by_unknown
from descend.check.variants import Candidate, trajectory
from descend.check.verdict import Found, Report, Row
from descend.equations import equations, intermediate
from descend.rules import Rule

__all__ = ["explain_mistakes", "explain_nothing_fits", "explain_parted"]

#: What torch, optax and people call the slots of our rules.
STATE_NAMES = {
    "m": ("m", "exp_avg", "mu", "first_moment", "ms", "moment1", "mt", "momentum", "mean"),
    "v": ("v", "exp_avg_sq", "nu", "second_moment", "vs", "square_avg", "sum", "cache", "s", "acc", "G", "vt", "sq", "r"),
    "b": ("b", "momentum_buffer", "velocity", "v", "trace", "vel", "bs", "buf"),
    "u": ("u", "exp_inf"),
    "v_max": ("v_max", "max_exp_avg_sq", "vhat", "vmax"),
}


def explain_mistakes(
    report: Report, rule: Rule, mapped: Mapped, match: Match, probes: Sequence[Probe], points: Sequence[np.ndarray]
) -> None:
    """A catalogue's entry, or two, whose run is the user's."""
    report.verdict = "wrong"
    best = match.candidates[0]
    base = best.base or references(rule, "weight_decay" in mapped.ours)[0]
    shares = confidences(match, base, probes, points)
    groups = [[_found(entry, share) for entry in c.entries] for c, share in zip(match.candidates, shares, strict=True)]
    report.mistakes, report.alternatives = groups[0], groups[1:]
    report.dialect = (
        HOMES.get(rule.name)
        if base.kind == "reference"
        else f"{base.source}'s form".replace("'s's", "'s").replace("s''s", "s'")
    )
    if base.kind == "dialect":
        report.message = f"Otherwise in another form than PyTorch's: {base.label}."
    report.excluded = (
        [f"{match.excluded} other candidates: the reference, its dialects and known mistakes"] if match.excluded else []
    )
    parted = _parted(base, probes, points)
    if parted is not None:
        _show(report, base, best, *parted)


def explain_parted(
    report: Report, rule: Rule, match: Match, base: Candidate, probe: Probe, points: np.ndarray, step: int
) -> None:
    """The same for a run that parts late from what was found right; `step` is the first that differs, from 1."""
    report.verdict = "wrong"
    shares = confidences(match, base, [probe], [points]) if match.candidates else []
    groups = [[_found(entry, share) for entry in c.entries] for c, share in zip(match.candidates, shares, strict=True)]
    report.mistakes, report.alternatives = groups[0] if groups else [], groups[1:]
    if match.candidates:
        _show(report, base, match.candidates[0], probe, step - 1, 0)
        return
    expected = _values(base.rule, base, probe, step - 1, 0)
    report.rows = _rows(base.rule, base.fixed, expected, {"g": expected["g"], "p": points[step].reshape(probe.start[0].shape)})
    report.place = f"step {step} of {probe.name}, the entry that differs most"


def _wrong(base: Candidate, best: Candidate) -> Rule:
    wrong = base.rule
    for entry in best.entries:
        wrong = entry.on(wrong)
    return wrong


def _show(report: Report, base: Candidate, best: Candidate, probe: Probe, step: int, place: int) -> None:
    """The values of both at one step, side by side."""
    expected = _values(base.rule, base, probe, step, place)
    yours = _values(_wrong(base, best), best, probe, step, place)
    report.rows = _rows(base.rule, base.fixed, expected, yours)
    report.place = f"step {step + 1} of {probe.name}, array {place + 1}, the entry that differs most"


def _found(entry: Mistake, confidence: float) -> Found:
    return Found(entry.name, entry.target, entry.expected, entry.yours, confidence, entry.consequence, entry.hint)


def _parted(base: Candidate, probes: Sequence[Probe], points: Sequence[np.ndarray]) -> tuple[Probe, int, int] | None:
    """The probe, the step (from 0) and the array on which the paths first part."""
    for probe, visited in zip(probes, points, strict=True):
        right = trajectory(base, probe)
        moved = max(np.nan_to_num(np.abs(right - right[0]), posinf=0).max(), 1e-300)
        with np.errstate(all="ignore"):
            gap = np.abs(right - visited)
        gap = np.where(np.isnan(gap), np.where(np.isnan(right) & np.isnan(visited), 0.0, np.inf), gap)
        late = np.nonzero(gap.max(axis=1) > 10 * EXACT * moved)[0]
        if len(late):
            t = int(late[0])
            ends = np.cumsum([a.size for a in probe.start])
            place = int(np.searchsorted(ends, int(np.argmax(gap[t])), side="right"))
            return probe, t - 1, place
    return None


def _values(rule: Rule, held: Candidate, probe: Probe, step: int, place: int) -> dict[str, Any]:
    """Every quantity that one step defines, for one array."""
    shown = Candidate(rule, held.kind, "", held.fixed)
    ps = [np.array(p) for p in probe.start]
    first = shown.values(probe)
    with np.errstate(all="ignore"):
        slots = [_as_numpy(rule, p, first) for p in ps]
        for t in range(step + 1):
            hyper = shown.values(probe, t)
            if t == step and not rule.sums:
                return intermediate(rule, probe.gradients[t][place], ps[place], slots[place], hyper)
            stepped = rule.apply_all(probe.gradients[t], ps, slots, [hyper] * len(ps))
            ps, slots = [p for p, _ in stepped], [s for _, s in stepped]
    return slots[place] | {"p": ps[place], "g": probe.gradients[step][place]}


def _as_numpy(rule: Rule, p: np.ndarray, hyper: Mapping[str, Any]) -> dict[str, Any]:
    kept = rule.kept_slots(p, hyper)
    return {k: np.float64(v) if isinstance(v, int | float) else v for k, v in vars(rule.start(p, hyper)).items() if k in kept}


def _rows(rule: Rule, fixed: Mapping[str, Any], expected: Mapping[str, Any], yours: Mapping[str, Any]) -> list[Row]:
    labels = {"g": "g"}
    for e in equations(rule, {n: 0.1 for n, h in rule.hyperparameters.items() if isinstance(h.default, float)} | dict(fixed)):
        if not e.target.startswith("("):
            labels.setdefault(e.target, e.text().split(" ")[0])
    labels["p"] = labels.pop("p", "p")
    names = [n for n in labels if n in expected and n in yours and not _is_power(rule, n)]
    where = _worst(expected.get("p"), yours.get("p"))
    rows = []
    for name in names:
        a, b = np.asarray(expected[name], dtype=np.float64), np.asarray(yours[name], dtype=np.float64)
        if a.shape != b.shape or a.size == 0:
            continue
        with np.errstate(all="ignore"):
            gap = np.abs(a - b)
        gap = np.where(np.isnan(a) & np.isnan(b), 0.0, gap)
        small = gap <= 1e-13 * np.maximum(np.abs(a), np.abs(b))
        worst = float(np.where(small, 0.0, gap).max())
        at = where if a.ndim and a.size > where else 0
        rows.append(Row(labels[name], float(a.ravel()[at]), float(b.ravel()[at]), worst))
    return rows


def _is_power(rule: Rule, name: str) -> bool:
    return name in rule.slots and rule.slots[name].power_of is not None


def _worst(a: Any, b: Any) -> int:
    if a is None or b is None:
        return 0
    gap = np.abs(np.asarray(a) - np.asarray(b))
    return int(np.argmax(np.where(np.isnan(gap), np.inf, gap)))


def explain_nothing_fits(
    report: Report, rule: Rule, mapped: Mapped, match: Match, probes: Sequence[Probe], points: Sequence[np.ndarray], talk: Any
) -> None:
    """No known mistake, and no two of them: what the probes themselves say, equation by equation."""
    report.verdict = "wrong"
    base = references(rule, "weight_decay" in mapped.ours)[0]
    contradicted, observed, agreed = recover(talk, rule, mapped, base, match.told.right)
    report.excluded = [f"{match.excluded} candidates: the reference, its dialects, known mistakes, and pairs of them"]
    report.excluded += [f"a mistake in {a}" for a in agreed]
    report.behaviour = observed
    report.message = "It is none of the known mistakes, nor two of them."
    report.mistakes = _kept_mistakes(report, rule, match)
    unknown = told_by_unknown([u for u in match.unknown if u[1].free.target not in match.told.right], rule)
    if not report.mistakes:
        if unknown is not None:
            contradicted, numbers = unknown
            report.behaviour = [numbers, *observed]
        elif match.told.open and match.told.right:
            target = match.told.open[0]
            contradicted = (target, _line(rule, target), f"{target} is not what it should be where it is kept, and others are")
        if contradicted is None:  # it parts, and nothing that is asked says where
            contradicted = ("p", _line(rule, "p"), "the step is another one")
        target, text, name = contradicted
        report.mistakes = [Found(name, target, text, "", GUESSED, "", "")]
    parted = _parted(base, probes, points)
    if parted is None:
        return
    probe, step, place = parted
    expected = _values(base.rule, base, probe, step, place)
    yours = _read_state(talk, mapped, probe, step, place, expected)
    ends = np.cumsum([0, *(a.size for a in probe.start)])
    index = next(i for i, p in enumerate(probes) if p is probe)
    yours["p"] = points[index][step + 1, ends[place] : ends[place + 1]].reshape(probe.start[place].shape)
    yours["g"] = expected["g"]
    report.rows = _rows(base.rule, base.fixed, expected, yours)
    report.place = f"step {step + 1} of {probe.name}, array {place + 1}, the entry that differs most"


def _kept_mistakes(report: Report, rule: Rule, match: Match) -> list[Found]:
    """What is wrong in the arrays it keeps; and the step, since that does not follow from them."""
    entries = list({id(e): e for c in match.told.wrong for e in c.entries}.values())
    if not entries:
        return []
    report.message = "What it keeps shows where it is wrong, and its steps do not follow from that alone."
    step = Found("the step that follows is another one too: mend the first and check again", "p", "", "", GUESSED, "", "")
    return [*(_found(entry, 1.0) for entry in entries), step]


def _line(rule: Rule, target: str) -> str:
    """The last equation for a quantity."""
    return next((e.text() for e in reversed(equations(rule)) if e.target == target), "")


def _read_state(talk: Any, mapped: Mapped, probe: Probe, step: int, place: int, expected: Mapping[str, Any]) -> dict[str, Any]:
    """The user's own m, v, … where their state can be read and the names are known."""
    from descend.check.checking import probe_request

    if place != 0 or step > 7:
        return {}
    (answer,) = talk.run([probe_request(probe, mapped, states=True)])
    states = answer.get("states") or []
    if len(states) <= step:
        return {}
    state, found = states[step], {}
    for ours, names in STATE_NAMES.items():
        for theirs in names:
            value = np.asarray(state.get(theirs, ()), dtype=np.float64)
            if ours in expected and ours not in found and value.size == np.size(expected[ours]) > 0:
                found[ours] = value.reshape(np.shape(expected[ours]))
    return found
