"""Options that make another rule of an optimizer, each tried once it is right without: nesterov, amsgrad, a decoupled decay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from descend.check.dialects import DECOUPLED
from descend.check.explaining import explain_mistakes
from descend.check.judge import Match, judge
from descend.check.kept import Kept, kept_of
from descend.check.names import Mapped, map_names
from descend.check.probes import Probe, probes_for
from descend.check.verdict import Found, Report
from descend.rules import OPTIMIZERS, Rule

__all__ = ["judge_options"]

Message = dict[str, Any]
Talk = Any


@dataclass(frozen=True)
class Option:
    """An argument, and the rule it should make."""

    argument: str
    partner: str
    decoupled: bool = False
    #: What is tried; the default is the other.
    value: bool = True


#: Rule -> its options; the last of a line needs what the ones before it are for.
OPTIONS: dict[str, tuple[Option, ...]] = {
    "sgd": (Option("momentum", "momentum"), Option("nesterov", "nesterov")),
    "momentum": (Option("nesterov", "nesterov"),),
    "adam": (Option("amsgrad", "amsgrad"), Option("decoupled_weight_decay", "adam", True)),
    "adamw": (Option("amsgrad", "amsgrad"),),
    "nadam": (Option("decoupled_weight_decay", "nadam", True),),
    "radam": (Option("decoupled_weight_decay", "radam", True),),
    "muon": (Option("nesterov", "muon", value=False),),
}


def judge_options(
    talk: Talk,
    described: Message,
    rule: Rule,
    overrides: Mapping[str, str],
    report: Report,
    filled: Callable[[Probe, Mapped], Probe],
    asked: bool,
) -> None:
    """Try each option an optimizer has; `asked`: the user named the rule, so that an option that fits nothing is wrong too.

    Of one that is wrong without, what else is wrong with the option is added.
    """
    for option, partner, mapped in _present(described, rule, overrides):
        probes = [filled(p, mapped) for p in probes_for(partner, mapped.ours)]
        if option.argument in rule.hyperparameters:
            probes = [replace(p, values={**p.values, option.argument: option.value}) for p in probes]
        points = _points(talk, mapped, probes)
        if points is None or all(np.array_equal(p[-1], p[0]) for p in points):
            continue

        def kept(mapped: Mapped = mapped, probes: list[Probe] = probes) -> list[Kept]:
            return kept_of(talk, mapped, probes)

        match = judge(partner, mapped, probes, points, described["adapter"], kept, pairs=report.verdict != "wrong")
        said = f"{option.argument}={option.value}" if option.argument != "momentum" else "a momentum"
        if report.verdict == "wrong":
            _tell_more(report, match, said)
            continue
        if match.kind in ("right", "dialect") and not (option.decoupled and not _is_decoupled(match)):
            report.remarks.append(f"with {said} it is right too, as {partner.title}")
            continue
        if match.kind == "wrong" or asked:
            _tell(report, partner, mapped, match, probes, points, said, option)
            return
        report.remarks.append(f"with {said} it is no form of {partner.title} that is known here")


def _tell_more(report: Report, match: Match, said: str) -> None:
    """What is wrong with the option and was not seen without, where all that was seen without is seen with it."""
    known = {m.name for m in report.mistakes}
    entries = match.candidates[0].entries if match.kind == "wrong" else ()
    if known <= {e.name for e in entries}:
        more = [e for e in entries if e.name not in known]
        report.mistakes += [
            Found(f"with {said}: {e.name}", e.target, e.expected, e.yours, 0.9, e.consequence, e.hint) for e in more
        ]


def _is_decoupled(match: Match) -> bool:
    return DECOUPLED in match.candidates[0].label or "decoupled" in match.candidates[0].label


def _present(described: Message, rule: Rule, overrides: Mapping[str, str]) -> Iterator[tuple[Option, Rule, Mapped]]:
    arguments = {a["name"]: a for a in described["arguments"]}
    for option in OPTIONS.get(rule.name, ()):
        default = arguments.get(option.argument, {}).get("default")
        wanted = default == 0 if option.argument == "momentum" else default is (not option.value)
        if not wanted or isinstance(default, bool) is (option.argument == "momentum"):
            continue
        partner = OPTIMIZERS[option.partner]
        mapped = map_names(partner, described["arguments"], overrides)
        if mapped.unknown or (partner.name == "nesterov" and "momentum" not in mapped.ours):
            continue
        if option.argument != "momentum" and option.argument not in rule.hyperparameters:
            mapped.names.pop(option.argument, None)
            mapped.fixed[option.argument] = option.value
        if option.argument == "nesterov" and "dampening" in arguments:
            mapped.fixed["dampening"] = 0.0
        yield option, partner, mapped


def _points(talk: Talk, mapped: Mapped, probes: list[Probe]) -> list[np.ndarray] | None:
    """The points visited; None where the option is refused or a probe cannot be run."""
    from descend.check.checking import probe_request

    kept = [p for p in probes if not p.changes or "lr" in mapped.ours]
    probes[:] = kept
    answers = talk.run([probe_request(p, mapped) for p in probes])
    if any("error" in a for a in answers):
        good = [i for i, a in enumerate(answers) if "error" not in a]
        if not good or good[0] != 0 or len(good) < 3:
            return None
        probes[:] = [probes[i] for i in good]
        answers = [answers[i] for i in good]
    return [np.array(a["points"], dtype=np.float64) for a in answers]


def _tell(
    report: Report,
    partner: Rule,
    mapped: Mapped,
    match: Match,
    probes: list[Probe],
    points: list[np.ndarray],
    said: str,
    option: Option,
) -> None:
    form = report.dialect or report.title
    if match.kind == "wrong":
        explain_mistakes(report, partner, mapped, match, probes, points)
    else:
        report.verdict = "wrong"
        name = "the weight decay is not decoupled" if option.decoupled else f"it is not {partner.title} with {said}"
        equation = "p ← p·(1 − lr·wd), and not g ← g + wd·p" if option.decoupled else ""
        report.mistakes = [Found(name, "weight decay" if option.decoupled else option.argument, equation, "", 0.5)]
    report.message = f"Without it right, as {form}; the following is seen with {said}."
