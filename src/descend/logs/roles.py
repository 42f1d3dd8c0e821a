"""Which column of a log is the training loss, the validation loss, the learning rate …, judged by its name.

A name is cut into words; words that say the split (train, val), the level (step, epoch) or nothing (total, mean) are set
aside, and what is left must be one of a few cores. Nothing is guessed from values: a wrong guess is corrected with `map`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["ROLES", "Guess", "assign", "axis_rank", "guess", "words"]

#: Canonical names, and what each means.
ROLES: dict[str, str] = {
    "loss": "training loss",
    "batch_loss": "training loss of single batches, where the log also has it per epoch",
    "val_loss": "validation, evaluation or test loss",
    "accuracy": "training accuracy",
    "val_accuracy": "validation, evaluation or test accuracy",
    "lr": "learning rate",
    "grad_norm": "norm of the whole gradient; grad_norm/<layer> for one layer",
    "update_norm": "norm of the update",
    "param_norm": "norm of the parameters",
    "epoch": "epoch",
}

_SPLITS = dict.fromkeys(("train", "training", "tr", "trn"), "train")
_SPLITS |= dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev", "test", "testing", "holdout"), "val")
_LEVELS = dict.fromkeys(("step", "steps", "batch", "iter", "iteration", "minibatch", "inner"), "step")
_LEVELS |= {"epoch": "epoch"}
_SMOOTH = {"running", "smoothed", "smooth", "ema", "moving", "avg", "average", "mean"}
_FILLER = {
    "total",
    "overall",
    "metrics",
    "metric",
    "scalars",
    "scalar",
    "losses",
    "per",
    "current",
    "value",
    "opt",
    "optimizer",
}
_FILLER |= {"optim", "global", "all", "lm", "model", "log", "logs", "stats", "vs", "iterations"}

_CORES: dict[tuple[str, ...], tuple[str, int]] = {  # words left -> (role, rank: lower is surer)
    ("loss",): ("loss", 0), ("losses",): ("loss", 1), ("cost",): ("loss", 2), ("objective",): ("loss", 2),
    ("ce", "loss"): ("loss", 2), ("cross", "entropy", "loss"): ("loss", 2), ("nll", "loss"): ("loss", 2),
    ("mse", "loss"): ("loss", 2), ("xent",): ("loss", 3), ("cross", "entropy"): ("loss", 3), ("crossentropy",): ("loss", 3),
    ("nll",): ("loss", 3), ("logloss",): ("loss", 3), ("mse",): ("loss", 4), ("error",): ("loss", 5), ("rmse",): ("loss", 5),
    ("accuracy",): ("accuracy", 0), ("acc",): ("accuracy", 0), ("acc", "1"): ("accuracy", 1), ("top1",): ("accuracy", 1),
    ("acc1",): ("accuracy", 1), ("top1", "accuracy"): ("accuracy", 1), ("top1", "acc"): ("accuracy", 1),
    ("prec", "1"): ("accuracy", 2), ("binary", "accuracy"): ("accuracy", 1), ("categorical", "accuracy"): ("accuracy", 1),
    ("sparse", "categorical", "accuracy"): ("accuracy", 1),
    ("lr",): ("lr", 0), ("learning", "rate"): ("lr", 0), ("learningrate",): ("lr", 0), ("lrs",): ("lr", 1),
    ("grad", "norm"): ("grad_norm", 0), ("gradient", "norm"): ("grad_norm", 0), ("gradnorm",): ("grad_norm", 0),
    ("gnorm",): ("grad_norm", 0), ("grad", "l2"): ("grad_norm", 1), ("grads", "norm"): ("grad_norm", 0),
    ("norm", "grad"): ("grad_norm", 1), ("norm", "grads"): ("grad_norm", 1), ("gradients", "norm"): ("grad_norm", 0),
    ("grad", "norms"): ("grad_norm", 1), ("grad", "2", "0", "norm"): ("grad_norm", 0), ("grad", "2", "norm"): ("grad_norm", 0),
    ("l2", "grad", "norm"): ("grad_norm", 0),
    ("update", "norm"): ("update_norm", 0), ("updates", "norm"): ("update_norm", 0),
    ("param", "norm"): ("param_norm", 0), ("params", "norm"): ("param_norm", 0), ("parameter", "norm"): ("param_norm", 0),
    ("weight", "norm"): ("param_norm", 0), ("weights", "norm"): ("param_norm", 0), ("pnorm",): ("param_norm", 1),
    ("epoch",): ("epoch", 0), ("epochs",): ("epoch", 1),
}  # fmt: skip

_AXES: tuple[str, ...] = (
    "step",
    "global_step",
    "iteration",
    "iter",
    "training_iteration",
    "train_step",
    "num_updates",
    "update",
)
_AXES += ("num_steps", "n_iter", "it", "steps", "i", "t", "batch", "batch_idx", "samples", "sample")
_AXIS_RANK = {name: rank for rank, name in enumerate(_AXES)}
_LAYER_NORM = re.compile(
    r"^(?:train/)?(?:grad_[\d.]+_norm|grad_norms?|gradient_norms?|gradnorms?|grad_norm_per_layer)[/:.](.+)$", re.IGNORECASE
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[A-Za-z]+\d*|\d+")


class Guess(NamedTuple):
    """What a name says about its column: the role, how sure (0 is surest), its level and whether it is a running mean."""

    role: str
    rank: int
    level: str = ""
    smooth: bool = False


def words(name: str) -> list[str]:
    """The lower-case words of a column name.

    >>> words("train/gradNorm_step"), words("lr-Adam/pg1")
    (['train', 'grad', 'norm', 'step'], ['lr', 'adam', 'pg1'])
    """
    return [w.lower() for w in _WORD.findall(_CAMEL.sub(" ", name[:200]))]


def axis_rank(name: str) -> int | None:
    """How well a name suits the step axis (0 is best), or None when it is no step counter.

    >>> axis_rank("trainer/global_step"), axis_rank("_step"), axis_rank("loss")
    (1, 0, None)
    """
    parts = words(name)
    while parts and parts[0] in ("trainer", "train", "training") and "_".join(parts) not in _AXIS_RANK:
        parts = parts[1:]
    return _AXIS_RANK.get("_".join(parts))


def guess(name: str) -> Guess | None:
    """The role a name claims, or None.

    >>> guess("train/loss_epoch")
    Guess(role='loss', rank=1, level='epoch', smooth=False)
    >>> guess("Validation Loss").role, guess("lr-AdamW").role, guess("eval/runtime")
    ('val_loss', 'lr', None)
    """
    layer = _LAYER_NORM.match(name)
    if layer and words(layer[1]) not in (["total"], ["all"], ["global"], ["step"], ["epoch"]):
        return Guess(f"grad_norm/{layer[1]}", 0)
    parts = words(name)
    if parts and parts[0] in ("lr", "learning", "learningrate") and "loss" not in parts:
        extra = parts[2:] if parts[:2] == ["learning", "rate"] else parts[1:]
        return Guess("lr", min(len(extra), 5)) if parts[0] != "learning" or parts[:2] == ["learning", "rate"] else None
    if tuple(parts) in _CORES:
        return Guess(*_CORES[tuple(parts)])
    return _guess_core(parts) or _guess_leaf(name)


def _guess_leaf(name: str) -> Guess | None:
    """Behind an unknown prefix ("generator/loss") the last part still tells, though less surely; norms may be one layer's."""
    prefix, slash, leaf = name[:200].rpartition("/")
    claim = _guess_core(words(leaf)) if slash else None
    if claim is None or claim.role.endswith("norm"):
        return None
    val = any(_SPLITS.get(w) == "val" for w in words(prefix)) and claim.role in ("loss", "accuracy")
    return claim._replace(role=f"val_{claim.role}" if val else claim.role, rank=claim.rank + 3)


def _guess_core(parts: list[str]) -> Guess | None:
    """Set aside split, level and filler words, and look up what is left."""
    splits = [_SPLITS[w] for w in parts if w in _SPLITS]
    levels = [_LEVELS[w] for w in parts if w in _LEVELS]
    smooth = any(w in _SMOOTH for w in parts)
    core = tuple(w for w in parts if w not in _SPLITS and w not in _LEVELS and w not in _SMOOTH and w not in _FILLER)
    if not core and parts and "losses" in parts:
        core = ("losses",)
    if not core and levels == ["epoch"]:
        core, levels = ("epoch",), []
    found = _CORES.get(core)
    if found is None:
        return None
    role, rank = found
    filler = sum(w in _FILLER for w in parts)
    rank += filler + len(levels) + 2 * smooth + 2 * max(len(splits) - 1, 0) + 2 * ("test" in parts)
    if "val" in splits:
        if role not in ("loss", "accuracy"):
            return None
        role = f"val_{role}"
    return Guess(role, rank, levels[0] if levels else "", smooth)


def assign(names: Mapping[str, int], wanted: Mapping[str, str] | None = None) -> dict[str, str]:
    """Choose the source of each role: role -> name. `names` maps each column to its number of points.

    Where several names claim one role, one with several points beats one with a single point, then the surest name wins.
    A training loss known per step and per epoch becomes `batch_loss` and `loss`.

    >>> assign({"train_loss_step": 90, "train_loss_epoch": 3, "val_loss": 3, "foo": 3})
    {'loss': 'train_loss_epoch', 'batch_loss': 'train_loss_step', 'val_loss': 'val_loss'}
    """
    chosen: dict[str, str] = dict(wanted or {})
    taken = set(chosen.values())
    claims: dict[str, list[tuple[bool, int, int, str, Guess]]] = {}
    for name, points in names.items():
        claim = guess(name)
        if claim is not None and name not in taken:
            claims.setdefault(claim.role, []).append((points < 2, claim.rank, -points, name, claim))
    for role in sorted(claims, key=_role_order):
        ordered = sorted(claims[role], key=lambda c: c[:3])
        if role == "loss" and "loss" not in chosen:
            _split_levels(ordered, chosen)
        chosen.setdefault(role, ordered[0][3])
    return {role: chosen[role] for role in sorted(chosen, key=_role_order)}


def _split_levels(ordered: list[tuple[bool, int, int, str, Guess]], chosen: dict[str, str]) -> None:
    """Where the training loss is there per step and per epoch, give each its own role."""
    epoch = [name for *_, name, claim in ordered if claim.level == "epoch"]
    step = [name for *_, name, claim in ordered if claim.level == "step"]
    plain = [name for _, rank, _, name, claim in ordered if claim.level == "" and not claim.smooth and rank <= 2]
    if step and (epoch or plain):
        chosen["loss"] = (epoch or plain)[0]
        chosen.setdefault("batch_loss", step[0])


def _role_order(role: str) -> tuple[int, str]:
    order: Iterable[str] = ROLES
    return (list(order).index(role), role) if role in ROLES else (len(ROLES), role)
