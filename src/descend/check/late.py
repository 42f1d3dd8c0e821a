"""What shows late only: a thousand steps with a short memory, and a step count set far ahead where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np

from descend.check.confidence import GUESSED
from descend.check.explaining import explain_parted
from descend.check.judge import Match, mistaken
from descend.check.mistakes import mistakes_of
from descend.check.names import Mapped
from descend.check.probes import Probe, probes_for
from descend.check.variants import Candidate, agrees, apart, trajectory
from descend.check.verdict import Found, Report
from descend.rules import Rule

__all__ = ["EQUAL", "fits_late", "judge_late", "late_candidates", "late_probe"]

Message = dict[str, Any]

#: Steps, by adapter: past 1000 where a step is cheap, past 256 where it is not.
STEPS = {"torch": 1100, "arena": 1100, "class": 1100, "function": 1100, "optax": 620, "keras": 260}
#: Fewer show nothing that the short probes do not.
FEWEST = 130
#: So small that 1/βᵗ overflows within the run.
BETAS = {"beta1": 0.3, "beta2": 0.4, "beta3": 0.4, "rho": 0.4, "momentum": 0.3}
#: So large that it does not: who parts with a short memory and not with this one, parts where a power overflows.
LONG = dict.fromkeys(BETAS, 0.8)
#: Rounding adds up over a long run.
EQUAL = 1e-7
#: Steps between 1/βᵗ being too large for its product with a gradient and βᵗ being 0.
ONSET = 45
COUNTS = "something counts steps: a state that starts anew, a limit on t, a history of fixed length"


def late_probe(rule: Rule, allowed: set[str], steps: int = 1100, betas: dict[str, float] = BETAS) -> Probe:
    """Gradients in a cycle of seven, so that nothing but the count of steps is new."""
    values = dict(probes_for(rule, allowed)[0].values)
    values |= {k: v for k, v in betas.items() if k in values}
    values |= {k: v for k, v in {"lr": 0.01, "weight_decay": 0.01}.items() if k in values and k in rule.hyperparameters}
    rng = np.random.default_rng(11)
    start = [rng.normal(size=(3,)) + 0.3]
    cycle = [[rng.normal(size=(3,)) + 0.1] for _ in range(7)]
    return Probe("a thousand steps", start, [cycle[t % 7] for t in range(steps)], values)


def judge_late(talk: Any, described: Message, rule: Rule, mapped: Mapped, match: Match, report: Report, filled: Any) -> None:
    """Follow what was found right for longer; where it parts, the report becomes one of a wrong optimizer."""
    from descend.check.checking import probe_request

    if match.kind not in ("right", "dialect") or match.half or rule.ndim:
        return
    steps = talk.affordable(STEPS[described["adapter"]])
    if steps < FEWEST:
        report.remarks.append("it is too slow for a run of a thousand steps within the time limit: --seconds allows more")
        return
    probe: Probe = filled(late_probe(rule, mapped.ours, steps))
    short = Probe("far", probe.start, probe.gradients[:12], probe.values)
    far = [probe_request(short, mapped, jump=[4, 10**6, margin]) for margin in (2, 40)]
    answer, jumped, before = talk.run([probe_request(probe, mapped), *far])
    best = match.candidates[0]
    if "points" in answer:
        points = np.array(answer["points"], dtype=np.float64)
        right = trajectory(best, probe)
        enough = 0.05 if match.single else EQUAL
        if not apart(right, points) <= enough:
            longer: Probe = filled(late_probe(rule, mapped.ours, steps, LONG))
            again = talk.run([probe_request(longer, mapped)])[0]
            same = "points" in again and apart(trajectory(best, longer), np.array(again["points"], dtype=np.float64)) <= enough
            _tell_late(report, rule, match, probe, points, same)
            return
    elif "error" in answer:
        report.verdict = "wrong"
        report.mistakes = [Found(f"it fails in a longer run: {answer['error']}", "t", "", answer.get("line") or "", 1.0)]
        return
    _tell_jump(report, jumped, before)


def _tell_late(report: Report, rule: Rule, match: Match, probe: Probe, points: np.ndarray, same: bool) -> None:
    """Where it parts; `same` when with a longer memory it does not, so that what counts is 1/βᵗ and no step."""
    best = match.candidates[0]
    fitting = [c for c in late_candidates(best, rule) if fits_late(c, probe, points)]
    with np.errstate(all="ignore"):
        gap = np.abs(trajectory(best, probe) - points).max(axis=1)
    moved = np.nanmax(np.abs(trajectory(best, probe) - probe.joined(probe.start)))
    step = int(np.argmax(~(gap <= EQUAL * moved)))
    if not fitting and same and _overflows(probe, step):
        report.remarks.append(f"a running power overflows at about 1/βᵗ = 10³⁰⁸: with the β of this probe at step {step}")
        return
    found = Match("wrong", fitting, difference=0.0, excluded=match.excluded)
    explain_parted(report, rule, found, best, probe, points, step)
    form = best.label if best.kind == "dialect" else best.source
    report.message = f"Equal to {form} up to step {step - 1}, and another from step {step} on."
    if not fitting:
        broken = not np.isfinite(points[step]).all()
        said = "from there on its numbers are not finite" if broken else COUNTS
        report.mistakes = [Found(f"it parts from the reference at step {step}: {said}", "t", "", "", GUESSED)]


def _overflows(probe: Probe, step: int) -> bool:
    """Whether 1/βᵗ is too large for a number at about this step; with usual β that is a thousand times as far."""
    betas = [float(probe.values[n]) for n in BETAS if n in probe.values]
    return any(abs(step + 709.0 / np.log(b)) <= ONSET for b in betas if 0 < b < 1)


def fits_late(candidate: Candidate, probe: Probe, points: np.ndarray) -> bool:
    """Whether a late mistake visits these points. Where sums overflow it does not matter which of two steps is the last."""
    if not candidate.entries[0].overflows:
        return agrees(candidate, probe, points, EQUAL) <= EQUAL
    theirs, ours = (np.isfinite(x).all(axis=1) for x in (points, trajectory(candidate, probe)))
    ends = [len(f) if f.all() else int(np.argmin(f)) for f in (theirs, ours)]
    first = min(ends)
    same = apart(trajectory(candidate, probe)[:first], points[:first]) <= EQUAL
    return same and first < len(points) and abs(ends[0] - ends[1]) <= ONSET


def _tell_jump(report: Report, jumped: Message, before: Message) -> None:
    """A step count set far ahead: no rule has numbers there that are not finite, nor others past a counter's limit."""
    kind = jumped.get("jumped")
    if kind is None or "points" not in jumped:
        return
    after, short = np.array(jumped["points"], dtype=np.float64), np.array(before.get("points", ()), dtype=np.float64)
    finite, small = bool(np.isfinite(after).all()), kind in ("int8", "uint8", "int16", "uint16")
    if finite and not (small and apart(short, after) > 0.01):
        return
    bits = kind.removeprefix("u").removeprefix("int")
    far = "far on, at step 10⁶, its numbers are not finite"
    name = f"the step count holds {bits} bits ({kind}) and overflows" if small else far
    report.verdict = "wrong"
    report.message = "The equations are right for the first steps, and not for late ones."
    consequence = "After that step t is negative or zero, and the corrections stop the run, turn it round or make it NaN."
    report.mistakes = [Found(name, "t", "t ← t + 1, as a number that does not overflow", f"t in {kind}", 1.0, consequence)]


def late_candidates(best: Candidate, rule: Rule) -> list[Candidate]:
    """Every late mistake made in a reference or dialect."""
    return [c for m in mistakes_of(rule.name, late=True) if (c := mistaken(best, (m,))) is not None]
