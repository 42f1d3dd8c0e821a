"""One check from beginning to end: open the user's optimizer, decide what it is meant to be, probe, judge, report."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import Queue
from typing import Any

import numpy as np

import descend.optimizers  # noqa: F401  (fills the registry)
from descend.check.dialects import DECOUPLED, HOMES, references
from descend.check.explaining import explain_mistakes, explain_nothing_fits
from descend.check.invariants import SHARED, Invariant, invariant_requests, judge_invariants, request
from descend.check.judge import EXACT, Match, judge
from descend.check.kept import keeps_what_is_kept, kept_of
from descend.check.late import judge_late
from descend.check.loading import Failed
from descend.check.names import Mapped, map_names, rule_named
from descend.check.options import judge_options
from descend.check.probes import Probe, probes_for
from descend.check.process import Child, Local
from descend.check.variants import agrees
from descend.check.verdict import Found, Report
from descend.equations import lines
from descend.rules import OPTIMIZERS, Rule, optimizer_named

__all__ = ["check", "check_all", "check_with"]

Message = dict[str, Any]


def check(
    target: Any,
    reference: str | None = None,
    *,
    adapter: str | None = None,
    mapping: Mapping[str, str] | None = None,
    seconds: float = 20.0,
    megabytes: int = 4096,
) -> Report:
    """Check an optimizer against a rule, by its name or by the rule named in `reference`.

    `target` is `"file.py:Name"` or `"module:Name"`, run in a process of its own with a limit of time and memory; or a class or
    function, run in this process. `mapping` corrects the names of hyperparameters: `{"decay": "weight_decay"}`.

    >>> def sgd(p, g, lr=0.1):
    ...     return p - lr * g
    >>> check(sgd).verdict
    'right'
    >>> check(lambda p, g, lr=0.1: p + lr * g, "sgd").mistakes[0].name
    'the step has the wrong sign'
    """
    talk: Any = None
    name = target if isinstance(target, str) else getattr(target, "__name__", type(target).__name__)
    try:
        rule = optimizer_named(reference) if reference else None
        hyper = list(mapping or ())
        if isinstance(target, str):
            talk = Child(target, adapter, hyper, seconds=seconds, megabytes=megabytes)
        else:
            talk = Local(target, adapter, hyper)
        return check_with(talk, name, rule, mapping or {})
    except Failed as error:
        return could_not_run(name, error, rule if reference else None, getattr(talk, "printed", ""))
    finally:
        if talk is not None:
            talk.close()


def could_not_run(name: str, error: Failed, rule: Rule | None, printed: str = "") -> Report:
    """A report on code that failed: one sentence and the line."""
    line = f"\n    {error.line}" if error.line else ""
    report = Report(
        "could_not_run", name, rule.name if rule else None, rule.title if rule else "", message=str(error) + "." * (not line)
    )
    report.printed = printed
    if error.line:
        report.message = f"{error}    ({error.line})"
    return report


def check_with(talk: Any, name: str, rule: Rule | None, overrides: Mapping[str, str]) -> Report:
    """A check over an open conversation."""
    described = talk.open()
    report = Report("right", name, driven=described["text"])
    report.remarks += [described["blind"]] if described.get("blind") else []
    guess = _variant(rule, described) if rule is not None and _always_with_momentum(rule, described) else rule
    if guess is None:
        named = rule_named(described["name"])
        guess = _variant(OPTIMIZERS[named], described) if named else None
    mapped = map_names(guess, described["arguments"], overrides)
    recognised = guess is None
    if guess is None and not described.get("blind"):
        guess, mapped = _recognised(talk, described, overrides) or (None, mapped)
    if mapped.unknown:
        needed = ", ".join(mapped.unknown)
        raise Failed(
            f"nothing is known about the argument {needed}, which has no default: say what it is with --map {needed}=lr"
        )
    report.mapping = mapped.text
    if guess is None:
        return _without_reference(talk, described, mapped, report)
    report.reference, report.title = guess.name, guess.title
    probes = [p for p in probes_for(guess, mapped.ours) if not p.changes or "lr" in mapped.ours]
    probes = [_filled(p, mapped, described) for p in probes]
    if guess.sums and described.get("alone"):  # it is given one array at a time: its sums are over that one
        probes = [_first_array(p) for p in probes]
    points, probes = _visited(talk, mapped, probes)
    if all(np.array_equal(p[-1], p[0]) for p in points) and not _still_by_rule(talk, guess, mapped, probes, points):
        _tell_still(report, guess)
        return report
    invariants = _invariants(talk, described, mapped, guess, recognised)
    shared = [i for i in invariants if i.holds is False and i.name == SHARED]
    adapter = described["adapter"]
    match = Match("") if shared else judge(guess, mapped, probes, points, adapter, lambda: kept_of(talk, mapped, probes))
    if shared:  # the equations are judged on one array alone
        probes = [_first_array(p) for p in probes]
        points, probes = _visited(talk, mapped, probes)
        match = judge(guess, mapped, probes, points, adapter)
    if match.kind not in ("right", "dialect") and (
        recognised or (rule is None and not match.kind and _namesake(guess, mapped))
    ):
        report.reference, report.title = None, ""
        return _without_reference(talk, described, mapped, report)
    report.probes, report.difference = len(probes), match.difference if match.kind else None
    _tell(report, guess, mapped, match, probes, points, talk)
    judge_late(talk, described, guess, mapped, match, report, lambda p: _filled(p, mapped, described))
    if not recognised and (report.verdict in ("right", "dialect") or match.kind == "wrong"):
        judge_options(talk, described, guess, overrides, report, lambda p, m: _filled(p, m, described), rule is not None)
    if recognised and report.verdict == "wrong":  # like a rule for some steps is no promise to be that rule
        seen = report.message
        fresh = Report("right", name, driven=described["text"], mapping=report.mapping)
        return _without_reference(talk, described, mapped, fresh, seen)
    if recognised:
        report.remarks += _left_open(described, mapped)
    _tell_invariants(report, invariants)
    report.remarks += _defaults(guess, mapped, described)
    report.printed = talk.printed
    return report


def _namesake(rule: Rule, mapped: Mapped) -> bool:
    """Whether an optimizer has a rule's name and none of the arguments that make the rule: another method of the same name."""
    own = set(rule.hyperparameters) - {"lr", "eps", "weight_decay"}
    return bool(own) and not own & mapped.ours


def _left_open(described: Message, mapped: Mapped) -> list[str]:
    """An optimizer that is known by what it does is known at the settings it was run with."""
    rest = [n for n, v in described["default_settings"].items() if n not in mapped.names and not isinstance(v, bool)]
    return [f"recognised by what it does, with {', '.join(rest)} as they are by default"] if rest else []


def _filled(probe: Probe, mapped: Mapped, described: Message) -> Probe:
    """The probe with the user's own defaults for what it leaves open, so that both sides run at the same values."""
    values: dict[str, Any] = {}
    for theirs, ours in mapped.names.items():
        default = described["default_settings"].get(theirs)
        if isinstance(ours, str) and isinstance(default, int | float):
            values[ours] = -default if theirs in mapped.negated else default
    return replace(probe, values=values | dict(probe.values))


def _first_array(probe: Probe) -> Probe:
    """The same probe with its first array only."""
    return replace(probe, name=f"{probe.name}, one array", start=probe.start[:1], gradients=[g[:1] for g in probe.gradients])


def _still_by_rule(talk: Any, rule: Rule, mapped: Mapped, probes: Sequence[Probe], points: Sequence[np.ndarray]) -> bool:
    """Whether what it keeps changes and a mistake within an equation makes its steps nothing."""
    kept = kept_of(talk, mapped, probes)
    if not any(k.arrays for k in kept):
        return False
    match = judge(rule, mapped, probes, points, pairs=False)
    best = match.candidates[0] if match.kind == "wrong" else None
    return best is not None and all(e.target != "p" for e in best.entries) and keeps_what_is_kept(best, kept)


def _tell_still(report: Report, rule: Rule) -> None:
    """Nothing moved on any probe."""
    report.verdict = "wrong"
    step = lines(rule)[-1]
    name = "it returns nothing and changes nothing: no parameter has moved on any probe"
    hint = (
        "Does your function return the new parameters, or write into the old ones with p -= …? p = p − … does neither, nor "
        "does writing into a copy such as p.flatten()."
    )
    report.mistakes = [Found(name, "p", step, "p ← p", 1.0, "Training does nothing at all.", hint)]


def _always_with_momentum(rule: Rule, described: Message) -> bool:
    """Whether what is to be SGD has a momentum that is on unless it is turned off."""
    given = [a.get("default") for a in described["arguments"] if a["name"].lower() in ("momentum", "beta")]
    return rule.name == "sgd" and any(isinstance(x, int | float) and x != 0 for x in given)


def _variant(rule: Rule, described: Message) -> Rule:
    """A name that stands for several rules, told apart by the arguments: SGD with a momentum is momentum."""
    names = {a["name"].lower(): a.get("default") for a in described["arguments"]}
    if rule.name == "sgd" and ("momentum" in names or "beta" in names):
        return OPTIMIZERS["nesterov" if names.get("nesterov") is True else "momentum"]
    return rule


def _visited(talk: Any, mapped: Mapped, probes: Sequence[Probe]) -> tuple[list[np.ndarray], list[Probe]]:
    """The points the user's optimizer visits on each probe; a probe it cannot run is left out; all of them: a failure."""
    answers = talk.run([probe_request(p, mapped) for p in probes])
    good = [(np.array(a["points"], dtype=np.float64), p) for a, p in zip(answers, probes, strict=True) if "error" not in a]
    if "error" in answers[0] or not good:
        first = next(a for a in answers if "error" in a)
        raise Failed(first["error"], first.get("line"))
    for answer, probe in zip(answers, probes, strict=True):
        if "error" in answer and not probe.changes:
            raise Failed(f"{answer['error']} (with {probe.name})", answer.get("line"))
    return [a for a, _ in good], [p for _, p in good]


def probe_request(probe: Probe, mapped: Mapped, **more: Any) -> Message:
    """A probe as the child takes it, in the user's names."""
    changes = {str(t): mapped.settings(c) for t, c in probe.changes.items()}
    for change in changes.values():
        for fixed in mapped.fixed:
            change.pop(fixed, None)
    return request(probe.start, probe.gradients, mapped.settings(probe.values), changes=changes, **more)


def _recognised(talk: Any, described: Message, overrides: Mapping[str, str]) -> tuple[Rule, Mapped] | None:
    """Which rule it is, by what it does: the first whose reference or dialect it equals on the short probe."""
    answered: dict[str, Message] = {}
    for rule in OPTIMIZERS.values():
        try:
            mapped = map_names(rule, described["arguments"], overrides)
        except ValueError:
            continue
        probe = probes_for(rule, mapped.ours)[0]
        asked = probe_request(probe, mapped)
        key = json.dumps(asked, sort_keys=True)
        if key not in answered:
            (answered[key],) = talk.run([asked])
        answer = answered[key]
        if "error" in answer:
            continue
        points = np.array(answer["points"], dtype=np.float64)
        if any(agrees(c, probe, points, EXACT) <= EXACT for c in references(rule, "weight_decay" in mapped.ours)):
            return rule, mapped
    return None


def _invariants(talk: Any, described: Message, mapped: Mapped, rule: Rule | None, recognised: bool = False) -> list[Invariant]:
    values = probes_for(rule, mapped.ours)[0].values
    asked = invariant_requests(described, mapped, values, bool(rule is not None and rule.ndim))
    if recognised:  # the arguments that the rule does not have are at their defaults, which may switch something off
        every = map_names(None, described["arguments"], {})
        asked["all arguments"] = asked["base"] | {"settings": every.settings(probes_for(None, every.ours)[0].values)}
    answers = talk.run(list(asked.values()))
    whole = rule is None or rule.whole_array
    return judge_invariants(asked, dict(zip(asked, answers, strict=True)), whole, rule is not None and rule.sums)


def _tell(
    report: Report, rule: Rule, mapped: Mapped, match: Match, probes: Sequence[Probe], points: Sequence[np.ndarray], talk: Any
) -> None:
    """Verdict and explanation."""
    if match.kind in ("right", "dialect"):
        best = match.candidates[0]
        report.verdict = match.kind
        report.dialect = (
            HOMES.get(rule.name, rule.title)
            if match.kind == "right"
            else f"{best.source}'s form".replace("'s's", "'s").replace("s''s", "s'")
        )
        form = best.source if best.source.endswith(("'s", "'")) or best.source.startswith(("a ", "an ")) else f"{best.source}'s"
        report.message = (
            f"Equal to {HOMES.get(rule.name, rule.title)}."
            if match.kind == "right"
            else f"Right, in {form} form: {best.label}."
        )
        if match.kind == "dialect":
            report.dialect = f"{form} form"
        if DECOUPLED in best.label and not best.rule.name.endswith("w"):
            report.remarks.append("if PyTorch's decay was meant, g ← g + wd·p comes before every other line")
        if match.half:
            said = "its Newton–Schulz iteration runs in bfloat16, so the steps agree to two digits"
            report.dialect = "PyTorch's form" if best.kind == "reference" else report.dialect
            label = said if best.kind == "reference" else f"{best.label}; {said}"
            report.message = f"Right, in {report.dialect}: {label}."
    elif match.kind == "wrong":
        explain_mistakes(report, rule, mapped, match, probes, points)
    else:
        explain_nothing_fits(report, rule, mapped, match, probes, points, talk)
    if match.single:
        report.remarks.append("equal in single precision only: somewhere on the way float64 becomes float32")
    for name, value in match.hidden.items():
        report.remarks.append(f"{name} is no argument; {value:g} is what the code holds")


def _tell_invariants(report: Report, found: Sequence[Invariant]) -> None:
    for invariant in found:
        if invariant.holds is not False:
            continue
        if invariant.grave and report.verdict in ("right", "dialect", "no_reference", "wrong"):
            if report.verdict in ("right", "dialect"):
                report.message = "The equations are right, but what holds for any optimizer does not hold here."
            if report.verdict != "no_reference":
                report.verdict = "wrong"
            report.mistakes.append(Found(invariant.sentence, invariant.name, invariant.fix, "", 1.0))
        else:
            report.remarks.append(invariant.sentence)
    broken = [i.name for i in found if i.holds is False]
    kept = [i.name for i in found if i.holds]
    if report.verdict == "no_reference" and kept:
        report.behaviour.append("holds, as for any optimizer: " + ", ".join(kept))
    if broken and report.verdict == "no_reference":
        report.behaviour.append("does not hold: " + ", ".join(broken))


def _defaults(rule: Rule, mapped: Mapped, described: Message) -> list[str]:
    """Defaults that are not the reference's."""
    told = []
    for theirs, ours in mapped.names.items():
        default = described["default_settings"].get(theirs)
        if default is None:
            continue
        pairs = zip(default, ours, strict=False) if isinstance(default, list | tuple) else [(default, ours)]
        for value, name in pairs:
            known = rule.hyperparameters.get(str(name))
            if (
                known is None
                or not isinstance(known.default, float)
                or type(value) not in (int, float)
                or value == known.default
            ):
                continue
            told.append(f"{theirs if isinstance(ours, str) else name} = {value:g} by default ({known.default:g} here)")
    return ["; ".join(told)] if told else []


#: What an optimizer that is no known rule may do by design: sum over all arrays.
_BY_DESIGN = (SHARED, "two groups are two optimizers")


def _without_reference(talk: Any, described: Message, mapped: Mapped, report: Report, seen: str = "") -> Report:
    from descend.check.behaviour import behaviour

    report.verdict = "no_reference"
    report.message = (
        f"There is no reference for {described['name']} here, and it equals none of the {len(OPTIMIZERS)} rules there are."
    )
    if seen:
        report.message = f"There is no reference for {described['name']} here. {seen}"
    report.behaviour = behaviour(talk, mapped)
    found = _invariants(talk, described, mapped, None)
    _tell_invariants(report, [replace(i, grave=False) if i.name in _BY_DESIGN else i for i in found])
    report.printed = talk.printed
    return report


def check_all(
    module: str, names: Sequence[str] | None = None, *, seconds: float = 20.0, megabytes: int = 4096, jobs: int = 2
) -> Iterator[Report]:
    """One report per optimizer of an installed module, in order, or for `names` of it alone.

    Each of the child processes serves until something ends it.
    """
    with tempfile.TemporaryDirectory(prefix="descend-check-") as folder:
        shared = _compiled_once(folder)
        talks = [Child(f"{module}:", seconds=seconds, megabytes=megabytes, environment=shared) for _ in range(jobs)]
        try:
            yield from _reports(module, talks[0].names_in(module) if names is None else names, talks)
        except Failed as error:
            yield could_not_run(module, error, None)
        finally:
            for talk in talks:
                talk.close()


def _compiled_once(folder: str) -> dict[str, str]:
    """What has JAX share the compiled operations among child processes; somebody's own folder for them is left to them."""
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return {}
    always = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    return {"JAX_COMPILATION_CACHE_DIR": folder, **always}


def _reports(module: str, names: Sequence[str], talks: Sequence[Child]) -> Iterator[Report]:
    """Each name checked by whichever child is free."""
    free: Queue[Child] = Queue()
    for talk in talks:
        free.put(talk)

    def one(name: str) -> Report:
        talk = free.get()
        try:
            talk.target, talk.printed = f"{module}:{name}", ""
            return check_with(talk, f"{module}:{name}", None, {})
        except Failed as error:
            return could_not_run(f"{module}:{name}", error, None, talk.printed)
        finally:
            free.put(talk)

    with ThreadPoolExecutor(len(talks)) as pool:
        yield from pool.map(one, names)
