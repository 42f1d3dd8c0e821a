"""What holds for any optimizer, whichever equations it follows: asked of every one, also where there is no reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend.check.names import Mapped

__all__ = ["SHARED", "Invariant", "invariant_requests", "judge_invariants", "request"]

Message = dict[str, Any]
#: The property that fails where state is shared between parameters.
SHARED = "each array has its own state"
#: Steps of the long run, by adapter: those that take long for each make fewer.
LONG = {"torch": 150, "arena": 150, "class": 150, "function": 150, "optax": 25, "keras": 25}

#: The requests that set maximize=True, and those with a weight decay where the others have none.
TURNED, DECAYED = {"maximize", "maximize and decay"}, {"decay", "groups", "second"}

#: Entries paired wrongly move altogether otherwise; products of matrices in half precision round otherwise in another layout.
PAIRED = 0.05


@dataclass(frozen=True)
class Invariant:
    """One property: holds, does not hold, or does not apply."""

    name: str
    holds: bool | None
    #: What was seen, and what follows from it.
    sentence: str
    fix: str = ""
    #: Whether it makes an optimizer wrong; else it is told as a remark.
    grave: bool = True


def request(start: list[np.ndarray], gradients: list[list[np.ndarray]], settings: Mapping[str, Any], **more: Any) -> Message:
    """A probe as the child process takes it."""
    rows = [np.concatenate([np.asarray(g, dtype=np.float64).ravel() for g in step]).tolist() for step in gradients]
    arrays = [{"shape": list(a.shape), "data": a.ravel().tolist()} for a in start]
    return {"start": arrays, "gradients": rows, "settings": dict(settings)} | more


def _draw(shapes: list[tuple[int, ...]], steps: int = 5) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    rng = np.random.default_rng(7)
    start = [rng.normal(size=s) + 0.2 for s in shapes]
    return start, [[rng.normal(size=s) + 0.3 for s in shapes] for _ in range(steps)]


def invariant_requests(described: Message, mapped: Mapped, values: Mapping[str, Any], matrices: bool) -> dict[str, Message]:
    """The probes, by name; `values` are the hyperparameters under our names."""
    shapes: list[tuple[int, ...]] = [(4, 2), (2, 3)] if matrices else [(3,), (2, 4)]
    start, gs = _draw(shapes)
    s = mapped.settings(values)
    asked = {"base": request(start, gs, s), "again": request(start, gs, s), "chance": request(start, gs, s, seed=1)}
    for i in range(2):
        asked[f"alone {i}"] = request([start[i]], [[g[i]] for g in gs], s)
    if not matrices:
        joined = [np.concatenate([a.ravel() for a in start])]
        asked["joined"] = request(joined, [[np.concatenate([x.ravel() for x in g])] for g in gs], s)
        odd, odd_gs = _draw([(1,), (2, 3, 2)], 3)
        asked["shapes"] = request(odd, odd_gs, s)
    if any(a["name"] == "maximize" for a in described["arguments"]) and not described.get("closure"):
        turned = [[-x for x in g] for g in gs]
        asked["maximize"] = request(start, turned, s | {"maximize": True})
        if "weight_decay" in mapped.ours:
            decay = mapped.settings(dict(values) | {"weight_decay": 0.3})
            asked["decay"] = request(start, gs, decay)
            asked["maximize and decay"] = request(start, turned, decay | {"maximize": True})
    twins, twin_gs = _draw([shapes[-1]] * 2)
    asked["twins"] = request(twins, twin_gs, s)
    for i in range(2):
        asked[f"twin {i}"] = request([twins[i]], [[g[i]] for g in twin_gs], s)
    asked["reload"] = request(start, gs, s, reload_at=3)
    asked["float32"] = request(start, gs, s, dtype="float32")
    asked["strided"] = request(start, gs, s, layout=["params", "grads"])
    asked["strided gradients"] = request(start, gs, s, layout=["grads"])
    asked["missing"] = request(start, gs, s, missing={"1": [1], "2": [1]})
    rate = next((theirs for theirs, ours in mapped.names.items() if ours == "lr"), None)
    if described.get("groups") and rate is not None and rate in s:
        own = {rate: s[rate] * 0.37} | {theirs: 0.2 for theirs, ours in mapped.names.items() if ours == "weight_decay"}
        asked["groups"] = request(start, gs, s, groups=[[[0], {}], [[1], own]])
        asked["second"] = request([start[1]], [[g[1]] for g in gs], s | own)
    asked["long"] = request(
        [start[0]], [[np.full_like(start[0], 0.5) if not matrices else gs[0][0]]] * LONG[described["adapter"]], s
    )
    return asked


def judge_invariants(asked: Mapping[str, Message], answers: Mapping[str, Message], whole: bool, sums: bool) -> list[Invariant]:
    """What the answers say. `whole`: a rule that needs whole arrays; `sums`: one that sums over all of them."""
    base = answers["base"]
    if "error" in base:
        return []
    p = np.array(base["points"])
    sizes = [int(np.prod(a["shape"])) for a in asked["base"]["start"]]
    found: list[Invariant | None] = [_touched(answers), _again(p, answers["again"])]
    fix = "with maximize: g ← −g before anything else"
    said, kept = "a run that is saved and loaded goes on otherwise", "keep every quantity in the state that is saved"
    if "maximize" in answers:
        found.append(_same("maximize", p, answers["maximize"], "maximize is not descent on −g", fix))
        found.append(_decay_turned(answers, fix))
    found.append(_same("save and load", p, answers["reload"], said, kept, optional=True))
    found += [_narrow(p, answers["float32"]), _long(answers["long"])]
    if found[1] and found[1].holds and not _same_points(p, answers["chance"]):
        said = "it draws random numbers: what needs two runs of other shapes is not asked"
        found.append(Invariant("every run is the same", False, said, grave=False))
        return [f for f in found if f is not None]
    found += [_alone(p, answers, sizes, whole, sums)]
    if "joined" in answers:
        found.append(_joined(p, answers["joined"], whole or sums))
        found.append(_runs("shapes", "arrays of one entry and of three dimensions", answers["shapes"]))
    found.append(_groups(answers, sizes, sums))
    found.append(_missing(p, answers["missing"], sizes, sums))
    found.append(_strided(p, answers, sizes))
    return [f for f in found if f is not None]


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape:
        return float("inf")
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    keep = np.isfinite(a)
    moved = np.abs(np.where(keep, a - a[0], 0)).max(initial=0.0)
    return float(np.abs(np.where(keep, a - b, 0)).max(initial=0.0) / (moved or 1.0))


def _same_points(p: np.ndarray, answer: Message) -> bool:
    return "points" not in answer or _apart(p, np.array(answer["points"])) < 1e-9


def _touched(answers: Mapping[str, Message]) -> Invariant:
    where = [name for name, answer in answers.items() if answer.get("touched")]
    touched, when = bool(where), ""
    if set(where) <= TURNED | DECAYED:  # an option alone does it: g is turned, or the decay is added to it, in place
        when = "with maximize=True, " if set(where) <= TURNED else "with a weight decay, "
    reader = "whoever reads it afterwards (clipping, logging, accumulation) sees another one"
    said = f"{when}the gradient is changed by the step: {reader}"
    return Invariant(
        "gradients are left alone",
        not touched,
        said if touched else "",
        "g is read and never assigned in place: make a new array of g + …",
        grave=not when,
    )


def _again(p: np.ndarray, again: Message) -> Invariant:
    same = "points" in again and _apart(p, np.array(again["points"])) < 1e-12
    said = (
        "a second optimizer of the same class starts where the first one stopped: its state is shared, by a mutable default "
        "argument, a class attribute or a global"
    )
    return Invariant(
        "every optimizer starts afresh", same, "" if same else said, "make the state anew in __init__: m₀ = 0, v₀ = 0, t = 0"
    )


def _alone(p: np.ndarray, answers: Mapping[str, Message], sizes: list[int], whole: bool, sums: bool) -> Invariant | None:
    if sums or any("points" not in answers[f"alone {i}"] for i in range(2)):
        return None
    parts = [p[:, : sizes[0]], p[:, sizes[0] :]]
    same = _twins(answers, sizes[-1]) and all(
        _apart(part, np.array(answers[f"alone {i}"]["points"])) < 1e-9 for i, part in enumerate(parts)
    )
    shared = "a norm, a mean, state or the step count is" if whole else "state (or the step count) is"
    said = f"an array moves otherwise when another one is there: {shared} shared between parameters"
    return Invariant(SHARED, same, "" if same else said, "one m, one v for each parameter, and t counted once a step")


def _twins(answers: Mapping[str, Message], size: int) -> bool:
    """Two arrays of one shape, as the first of them alone."""
    alone = [answers["twin 0"], answers["twin 1"]]
    if any("points" not in a for a in (answers["twins"], *alone)):
        return True
    both = np.array(answers["twins"]["points"])
    parts = both[:, :size], both[:, size:]
    return all(_apart(part, np.array(one["points"])) < 1e-9 for part, one in zip(parts, alone, strict=True))


def _joined(p: np.ndarray, joined: Message, whole: bool) -> Invariant | None:
    if whole or "points" not in joined:
        return None
    same = _apart(p, np.array(joined["points"])) < 1e-9
    said = "the same numbers in one array move otherwise than in two: a norm, a mean or a shape plays a part"
    return Invariant("arrays may be split", same, "" if same else said, grave=False)


def _same(name: str, p: np.ndarray, other: Message, said: str, fix: str, optional: bool = False) -> Invariant | None:
    if "error" in other:
        single = "scalar type" in other["error"]  # a state kept in float32 comes back in the type of float64 parameters
        if optional and (single or "offers no way" in other["error"] or other.get("line") is None):
            return None
        if optional:
            return Invariant(name, False, f"it could not be saved and loaded: {other['error']}", fix, grave=False)
        return Invariant(name, False, f"{said}: {other['error']}", fix)
    same = _apart(p, np.array(other["points"])) < (1e-6 if optional else 1e-9)  # what is saved may be saved in float32
    return Invariant(name, same, "" if same else said, fix)


def _decay_turned(answers: Mapping[str, Message], fix: str) -> Invariant | None:
    """Maximize and weight decay together; asked only where each is well without the other."""
    if any("points" not in answers.get(name, {}) for name in ("decay", "maximize and decay", "maximize")):
        return None
    if not _same_points(np.array(answers["base"]["points"]), answers["maximize"]):
        return None
    same = _same_points(np.array(answers["decay"]["points"]), answers["maximize and decay"])
    said = (
        "with maximize=True the weight decay is turned round too: it pushes the parameters away from zero. The sign of the "
        "gradient alone is to be changed, before the decay is added"
    )
    return Invariant("weight decay", same, "" if same else said, f"{fix}; then g ← g + wd·p")


def _groups(answers: Mapping[str, Message], sizes: list[int], sums: bool) -> Invariant | None:
    if "groups" not in answers or sums or "points" not in answers["second"]:
        return None
    if "error" in answers["groups"]:
        return Invariant(
            "two groups are two optimizers",
            False,
            f"parameter groups fail: {answers['groups']['error']}",
            "read each hyperparameter from the group",
        )
    both = np.array(answers["groups"]["points"])
    first, second = np.array(answers["base"]["points"])[:, : sizes[0]], np.array(answers["second"]["points"])
    same = _apart(first, both[:, : sizes[0]]) < 1e-9 and _apart(second, both[:, sizes[0] :]) < 1e-9
    said = "a second parameter group does not follow its own settings"
    return Invariant(
        "two groups are two optimizers",
        same,
        "" if same else said,
        "read each hyperparameter from the group, not from defaults or self",
    )


def _missing(p: np.ndarray, missing: Message, sizes: list[int], sums: bool) -> Invariant | None:
    if "error" in missing:
        if missing.get("line") is None:
            return None  # this kind of optimizer is given no None
        return Invariant(
            "a gradient of None",
            False,
            f"a parameter without a gradient ends in {missing['error']}",
            "skip parameters whose grad is None",
            grave=False,
        )
    if sums:
        return None
    q = np.array(missing["points"])
    still = np.array_equal(q[1:4, sizes[0] :], np.repeat(q[1:2, sizes[0] :], 3, axis=0))
    same = still and _apart(p[:, : sizes[0]], q[:, : sizes[0]]) < 1e-9
    said = "a parameter without a gradient moves, or moves the others"
    return Invariant(
        "a gradient of None", same, "" if same else said, "skip parameters whose grad is None, state and all", grave=False
    )


def _runs(name: str, what: str, answer: Message) -> Invariant:
    ok = "error" not in answer
    return Invariant("any shape", ok, "" if ok else f"{what} end in {answer['error']}")


def _strided(p: np.ndarray, answers: Mapping[str, Message], sizes: list[int]) -> Invariant | None:
    """Arrays whose columns lie together in memory, as a transposed weight's do; the first probe's second array is a matrix."""
    name = "any layout in memory"
    fix = "write into p itself, with its own shape: p −= lr·u"
    strided, grads = answers["strided"], answers["strided gradients"]
    if "error" in strided:
        if strided.get("line") is None:
            return None
        said = f"a parameter that is not contiguous in memory, such as a transposed one, ends in {strided['error']}"
        return Invariant(name, False, said, fix, grave=False)
    q = np.array(strided["points"])
    if _apart(p, q) < PAIRED:
        if "points" not in grads or _apart(p, np.array(grads["points"])) < PAIRED:
            return Invariant(name, True, "")
        said = "a gradient laid out in memory otherwise than its parameter is added to the wrong entries"
        return Invariant(name, False, said, "pair p and g by their indices: reshape both in one order, not in that of memory")
    if np.array_equal(q[-1, sizes[0] :], q[0, sizes[0] :]):
        said = (
            "the step is written to a copy: p is reshaped (reshape, flatten, ravel, contiguous) and changed in place, which "
            "reaches p only while it is contiguous in memory; a transposed parameter stays where it is"
        )
        return Invariant(name, False, said, fix)
    said = (
        "an array that is not contiguous in memory moves otherwise: entries of p, g, m or v are paired in the order of memory"
    )
    return Invariant(name, False, said, "pair p and g by their indices: reshape both in one order, not in that of memory")


def _narrow(p: np.ndarray, narrow: Message) -> Invariant | None:
    if "error" in narrow:
        return None
    kept = narrow["dtype"] in ("float32", "")
    said = f"float32 parameters come back as {narrow['dtype']}"
    return Invariant("the number type stays", kept, "" if kept else said, "keep m, v and p in p's own type", grave=False)


def _long(answer: Message) -> Invariant | None:
    if "error" in answer:
        return Invariant("a long run", False, f"it fails in a longer run: {answer['error']}")
    points = np.array(answer["points"])
    finite = bool(np.isfinite(points).all())
    return Invariant(
        "a long run", finite, "" if finite else "a constant gradient leads to numbers that are not finite", grave=False
    )
